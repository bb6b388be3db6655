"""One trial as a Ray Tune trainable: an actor in its bundle measures one assignment."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune

from scoot_ray.core.assignment import Assignment
from scoot_ray.core.display import describe_trial
from scoot_ray.core.errors import UserError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from traces.schema import Trace
from trainables.backend import make_stress_test
from trainables.phases import untold


class TrialActor(tune.Trainable):
    """Measure one assignment, its configuration as plain data, and report the outcome.

    An exception that leaves it means infrastructure: the trial is lost and handed out again. What
    an engine does to itself is an outcome, and a mistake in the study stops the study.
    """

    def setup(  # type: ignore[override]  # Ray passes what `tune.with_parameters` was given
        self,
        config: dict[str, Any],
        *,
        study: Study,
        trace: Trace,
        default: Config,
        trials_folder: Path,
        keep: Callable[[Path], None],
        tell: Callable[[int, str], None],
    ) -> None:
        """Take what all trials share; the assignment itself is in `config`.

        `keep` brings a trial's folder to where it outlives this node; `tell` says, by a trial's
        number, which phase it has entered.
        """
        self._study = study
        self._trace = trace
        self._default = default
        self._trials_folder = trials_folder
        self._keep = keep
        self._tell = tell

    def step(self) -> dict[str, Any]:
        """Run the whole stress test: a trial has one step."""
        assignment = Assignment.from_json(self.config)
        folder = trial_folder(self._trials_folder, assignment.number)
        entered = partial(self._tell, assignment.number)
        outcome = measure(assignment, self._study, self._trace, folder, entered)
        self._keep(folder)
        return {"outcome": outcome.to_json(), "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Agree to measure another assignment in the same process."""
        return True

    def __repr__(self) -> str:
        return describe_trial(Assignment.from_json(self.config), self._default)


def measure(
    assignment: Assignment,
    study: Study,
    trace: Trace,
    folder: Path,
    entered: Callable[[Phase], None] = untold,
) -> Outcome:
    """Run the stress test of one assignment; logs and request records go into `folder`."""
    try:
        stress_test = make_stress_test(study, folder=folder, entered=entered)
        return stress_test.run(assignment.config, trace, assignment.seed, assignment.bar)
    except UserError as error:
        # Another actor would meet the same mistake, and so would every other configuration.
        failure = Failure(Phase.START, "study", str(error), fatal=True)
        return Outcome(TrialState.FAILED, failure=failure)


def trial_folder(trials_folder: Path, number: int) -> Path:
    """Return the folder of trial `number`."""
    return trials_folder / f"{number:04d}"
