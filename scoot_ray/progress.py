"""What the person sees while a study runs: one plain line for every event."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.display import describe_config, format_duration, format_gain, format_metric
from scoot_ray.core.metrics import lateness_s
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord

NUM_LOG_LINES = 3
"""Of an engine that failed, shown at once; the journal and the report have more."""


@dataclass
class Progress:
    """Print a study's events; holds only plain data, because Ray Tune pickles it.

    Attributes:
        objectives: Whose metrics are printed.
        default: The default configuration; lines name only what differs from it.
        num_trials: Trials that the study will have, the default and confirmations included.
        num_finished: Trials finished so far.
        reference: The default's metrics, once known.
    """

    objectives: tuple[Objective, ...]
    default: Config
    num_trials: int
    num_finished: int = 0
    reference: dict[str, float] = field(default_factory=dict)
    started_at_s: float = field(default_factory=time.monotonic)

    def resume(self, trials: Sequence[TrialRecord]) -> None:
        """Take over what an earlier run has finished."""
        for record in trials:
            self._count(record)

    def note(self, text: str) -> None:
        """Print a line that belongs to no trial."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def started(self, assignment: Assignment) -> None:
        """Print that a trial has got its bundle."""
        self._print(assignment.number, "started", self._title(assignment.role, assignment.config))

    def finished(self, record: TrialRecord) -> None:
        """Print how a trial ended."""
        self._count(record)
        self._print(record.number, record.state.value, self._ending(record))
        for line in record.mishap.log_tail[-NUM_LOG_LINES:] if record.mishap else ():
            self.note(f"    | {line}")

    def _ending(self, record: TrialRecord) -> str:
        if record.is_bound:
            return f"ended early: {record.note}"
        if record.state is not TrialState.COMPLETE:
            return record.note
        texts = [self._measured(objective, record) for objective in self.objectives]
        measured = ", ".join([*texts, *_late(record)])
        return f"{measured}. {record.note}" if record.note else measured

    def _count(self, record: TrialRecord) -> None:
        self.num_finished += record.state is not TrialState.FAILED
        if record.role is Role.DEFAULT:
            self.reference = dict(record.metrics)

    def _measured(self, objective: Objective, record: TrialRecord) -> str:
        metric = objective.metric
        value = record.metrics.get(metric)
        text = f"{metric} {format_metric(metric, value)}"
        if record.role is Role.DEFAULT or not self.reference:
            return text
        return f"{text} ({format_gain(objective, value, self.reference.get(metric))})"

    def _title(self, role: Role, config: Config) -> str:
        prefix = f"{role.value} " if role in (Role.CONFIRM, Role.DRIFT) else ""
        return prefix + describe_config(config, self.default)

    def _print(self, number: int, event: str, text: str) -> None:
        elapsed = format_duration(time.monotonic() - self.started_at_s)
        count = f"{self.num_finished}/{self.num_trials}"
        self.note(f"[{count:>5} {elapsed:>7}] trial {number:<3} {event:<10} {text}")


def _late(record: TrialRecord) -> list[str]:
    late_s = lateness_s(record.metrics)
    return [f"requests sent {format_duration(late_s)} late"] if late_s else []
