"""One trial as a Ray Tune trainable: an actor in its bundle measures one assignment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from scoot_ray.core.errors import UserError
from scoot_ray.core.study import Study
from scoot_ray.core.trial import Assignment, Failure, Outcome, Phase, TrialState
from traces.schema import Trace
from trainables import make_stress_test


def run_trial(
    parameters: Mapping[str, Any], *, study: Study, trace: Trace, trials_folder: Path
) -> None:
    """Measure one assignment and report its outcome to Ray Tune.

    An exception that leaves this function means infrastructure: Tune retries the trial in another
    actor. What an engine does to itself is an outcome, and a mistake in the study stops it.

    Args:
        parameters: An assignment as plain data.
        study: The study as resolved.
        trace: The service's requests.
        trials_folder: Where each trial gets a folder named after its number.
    """
    assignment = Assignment.from_json(parameters)
    folder = trial_folder(trials_folder, assignment.number)
    try:
        stress_test = make_stress_test(study, folder=folder)
        outcome = stress_test.run(assignment.config, trace, assignment.seed)
    except UserError as error:
        # Another actor would meet the same mistake, and so would every other configuration.
        failure = Failure(Phase.START, "study", str(error), fatal=True)
        outcome = Outcome(TrialState.FAILED, failure=failure)
    tune.report({"outcome": outcome.to_json()})


def trial_folder(trials_folder: Path, number: int) -> Path:
    """Return the folder of trial `number`."""
    return trials_folder / f"{number:04d}"
