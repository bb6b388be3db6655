"""The Ray Tune callback that writes every finished trial to the journal and tells the person."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune import Callback

from cluster.loss import diagnose_loss
from scoot_ray.core.assignment import Assignment
from scoot_ray.core.attempts import attempts_at, judged
from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.progress import Progress
from trainables.ray_trainable import trial_folder
from trainables.replicas import replicas_of

if TYPE_CHECKING:
    from ray.tune.experiment import Trial


class Recorder(Callback):
    """Append finished trials to the journal, at once and on the driver.

    It runs before Tune asks the searcher again, so the searcher always sees what has finished.
    It is pickled with the experiment and holds no open file or lock.
    """

    def __init__(self, study: Study, journal: Journal, progress: Progress) -> None:
        self._study = study
        self._journal = journal
        self._progress = progress
        self._started_at_s: dict[int, float] = {}

    def on_trial_start(
        self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any
    ) -> None:
        """Tell that a trial has got its bundle."""
        assignment = Assignment.from_json(trial.config)
        self._started_at_s[assignment.number] = time.time()
        self._progress.started(assignment)

    def on_trial_complete(
        self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any
    ) -> None:
        """Record a trial that reported an outcome."""
        outcome = trial.last_result.get("outcome")
        if outcome is None:
            return  # stopped from outside before it reported; it stays unfinished in the journal
        self._record(Assignment.from_json(trial.config), Outcome.from_json(outcome))

    def on_trial_error(
        self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any
    ) -> None:
        """Record a trial that was lost to infrastructure; the searcher hands it out again."""
        assignment = Assignment.from_json(trial.config)
        failure = diagnose_loss(_last_error(trial))
        earlier = attempts_at(assignment.config, assignment.role, self._journal.read().trials)
        outcome = judged(Outcome(TrialState.FAILED, failure=failure), earlier)
        self._record(assignment, outcome)

    def _record(self, assignment: Assignment, outcome: Outcome) -> None:
        num_gpus = replicas_of(self._study, assignment.config).num_gpus
        ended_at_s = time.time()
        started_at_s = self._started_at_s.pop(assignment.number, ended_at_s)
        # A trial that was lost cannot tell how long its phases took.
        held_s = sum(outcome.phases_s.values()) or ended_at_s - started_at_s
        record = TrialRecord.of(
            assignment,
            outcome,
            trial_id=trial_folder(Path(), assignment.number).name,
            num_gpus=num_gpus,
            gpu_seconds=num_gpus * held_s,
            started_at_s=started_at_s,
            ended_at_s=ended_at_s,
        )
        self._journal.write_trial(record)
        self._progress.finished(record)


def _last_error(trial: "Trial") -> str:
    # The text file, not the pickled exception: a text cannot run code when it is read.
    file = Path(trial.error_file) if trial.error_file else None
    if file is None or not file.exists():
        return ""
    return file.read_text(errors="replace")
