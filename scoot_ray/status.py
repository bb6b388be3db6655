"""Where a running study stands: folded from its journal and from what its trials say."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scoot_ray.core.display import describe_config, format_duration, format_gain, format_metric
from scoot_ray.core.failure import Phase
from scoot_ray.core.journal import History
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study

WORDS = {
    Phase.START: "starting",
    Phase.WARM_UP: "warming up",
    Phase.LOAD: "load",
    Phase.DRAIN: "draining",
    Phase.STOP: "stopping",
}


@dataclass(frozen=True)
class Running:
    """A trial that has its bundle.

    Attributes:
        title: Its number and what it changes.
        num_gpus: What it holds.
        held_s: For how long it has held them.
        phase: What it does, if it has said so.
        phase_s: For how long it has done that.
    """

    title: str
    num_gpus: int
    held_s: float
    phase: Phase | None = None
    phase_s: float = 0.0

    def describe(self, load_s: float) -> str:
        """Say what it does: `starting 43 s`, or how far a load of `load_s` seconds has come."""
        if self.phase is None:
            return f"running {format_duration(self.held_s)}"
        if self.phase is Phase.LOAD:
            return f"load {min(self.phase_s / load_s, 1.0):.0%}"
        return f"{WORDS[self.phase]} {format_duration(self.phase_s)}"


@dataclass(frozen=True)
class Status:
    """What a person wants to know of a running study, in words.

    Attributes:
        counts: Trials done, running, infeasible and failed, of how many.
        spending: GPU (or CPU rank) hours so far, time so far, and time left.
        best: The best so far against the default.
        front: Number, objectives and changes of the configurations on the front.
        running: What runs, and what each trial is doing.
    """

    counts: str
    spending: str
    best: str
    front: tuple[tuple[str, ...], ...]
    running: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls,
        study: Study,
        history: History,
        running: Sequence[Running],
        *,
        num_planned: int,
        num_before: int,
        elapsed_s: float,
    ) -> "Status":
        """Fold a journal.

        Args:
            study: The study.
            history: Its journal.
            running: The trials that have their bundles.
            num_planned: Trials that the study will have at most if none fails.
            num_before: Trials that had finished before this run of the study began.
            elapsed_s: How long this run has taken so far.
        """
        result = Result.from_history(study, history)
        hours = f"{_device_hours(history, running):.3g} {study.service.device} hours"
        left = _time_left(history, num_planned, num_before, elapsed_s)
        load_s = study.workload.duration_s
        return cls(
            counts=_counts(history, len(running), num_planned),
            spending=", ".join(filter(None, (hours, format_duration(elapsed_s), left))),
            best=_best(result),
            front=tuple(_front_rows(result)),
            running=tuple((trial.title, trial.describe(load_s)) for trial in running),
        )


def _counts(history: History, num_running: int, num_planned: int) -> str:
    states = Counter(record.state for record in history.trials)
    return (
        f"{states[TrialState.COMPLETE]} of {num_planned} done, {num_running} running, "
        f"{states[TrialState.INFEASIBLE]} infeasible, {states[TrialState.FAILED]} failed"
    )


def _device_hours(history: History, running: Sequence[Running]) -> float:
    held_s = sum(trial.num_gpus * trial.held_s for trial in running)
    return (sum(record.gpu_seconds for record in history.trials) + held_s) / 3600


def _time_left(history: History, num_planned: int, num_before: int, elapsed_s: float) -> str:
    usable = [r for r in history.trials if r.state is not TrialState.FAILED]
    num_now = len(usable) - num_before
    if num_now <= 0:
        return ""
    num_left = max(0, num_planned - len(usable))
    return f"about {format_duration(elapsed_s / num_now * num_left)} left"


def _best(result: Result) -> str:
    best, default = result.recommendation, result.default
    if best is None:
        return "nothing has completed yet"
    record = best.record
    old = default.metrics if default else {}
    changes = [
        f"{o.metric} {format_metric(o.metric, record.metrics.get(o.metric))} "
        f"({format_gain(o, record.metrics.get(o.metric), old.get(o.metric))})"
        for o in result.objectives
    ]
    missed = f"; misses {', '.join(map(str, best.missed))}" if best.missed else ""
    return f"trial {record.number}: {', '.join(changes)}{missed}"


def _front_rows(result: Result) -> list[tuple[str, ...]]:
    default = result.default.config if result.default else None
    return [
        (
            str(record.number),
            *(format_metric(o.metric, record.metrics[o.metric]) for o in result.objectives),
            describe_config(record.config, default),
        )
        for record in result.front
    ]
