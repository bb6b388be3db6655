"""A trial: what is asked for, how it ended, and the record that is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from scoot_ray.core.bar import Bar
from scoot_ray.core.space import Config


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "COMPLETE"
    INFEASIBLE = "INFEASIBLE"  # the configuration's own fault: the hidden-constraint label
    FAILED = "FAILED"  # infrastructure; retried, shown to no model
    CANCELLED = "CANCELLED"


class Role(StrEnum):
    """Why a trial was run."""

    DEFAULT = "default"
    SEARCH = "search"
    CONFIRM = "confirm"
    DRIFT = "drift"


class Phase(StrEnum):
    """The phases of a stress test, in order."""

    START = "start"
    WARM_UP = "warm-up"
    LOAD = "load"
    DRAIN = "drain"
    STOP = "stop"


@dataclass(frozen=True)
class Failure:
    """Say in which phase a trial failed, from what cause, and what the engine said last.

    Attributes:
        phase: Where it happened.
        cause: A short identifier from the failure rules, such as "out_of_memory".
        message: One sentence for a person, with advice where there is any.
        log_tail: The engine's own last lines.
        fatal: No configuration of this study can succeed (missing weights, unknown flag), so
            the study should stop.
    """

    phase: Phase
    cause: str
    message: str
    log_tail: tuple[str, ...] = ()
    fatal: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping for the journal."""
        return {
            "phase": self.phase.value,
            "cause": self.cause,
            "message": self.message,
            "log_tail": list(self.log_tail),
            "fatal": self.fatal,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Failure":
        """Rebuild what `to_json` wrote."""
        return cls(
            phase=Phase(data["phase"]),
            cause=data["cause"],
            message=data["message"],
            log_tail=tuple(data.get("log_tail", ())),
            fatal=bool(data.get("fatal", False)),
        )


@dataclass(frozen=True)
class Outcome:
    """Report how one stress test ended.

    Attributes:
        state: COMPLETE with metrics, INFEASIBLE or FAILED with a failure.
        metrics: Values by metric name; empty unless COMPLETE. Bounds if `is_bound`.
        failure: What went wrong, if anything did.
        phases_s: Seconds spent by phase name.
        is_bound: The test was ended early, because nothing that could still happen would have made
            it good enough. Each entry of `metrics` is then the best value that the whole test
            could still have had: it would have measured at least this for a time (TTFT, TPOT,
            latency), at most this for a rate. A metric without a bound is left out.
        early_stop: Why it was ended early, for a person; empty if it was not.
        first_failure: What nothing explained and therefore was tried once more; this is how the
            second try ended.
    """

    state: TrialState
    metrics: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    phases_s: Mapping[str, float] = field(default_factory=dict)
    is_bound: bool = False
    early_stop: str = ""
    first_failure: Failure | None = None

    def __post_init__(self) -> None:
        if self.state is TrialState.COMPLETE and not self.metrics:
            raise ValueError("a COMPLETE outcome needs metrics")
        if self.is_bound and self.state is not TrialState.COMPLETE:
            raise ValueError(f"an outcome that is {self.state.value} has no bounds")
        if self.state in (TrialState.INFEASIBLE, TrialState.FAILED) and self.failure is None:
            raise ValueError(f"an outcome that is {self.state.value} needs a failure")

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping, which crosses processes without pickling our classes."""
        return {
            "state": self.state.value,
            "metrics": dict(self.metrics),
            "failure": self.failure.to_json() if self.failure else None,
            "phases_s": dict(self.phases_s),
            "is_bound": self.is_bound,
            "early_stop": self.early_stop,
            "first_failure": self.first_failure.to_json() if self.first_failure else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Outcome":
        """Rebuild what `to_json` wrote."""
        return cls(
            state=TrialState(data["state"]),
            metrics=dict(data["metrics"]),
            failure=_failure_of(data, "failure"),
            phases_s=dict(data["phases_s"]),
            is_bound=data.get("is_bound", False),
            early_stop=data.get("early_stop", ""),
            first_failure=_failure_of(data, "first_failure"),
        )


@dataclass(frozen=True)
class Assignment:
    """Say what to measure next: a numbered configuration, why, and with which seed.

    Attributes:
        number: Position in the study.
        role: Why it is measured.
        config: What is measured.
        seed: Seed of the arrival order.
        bar: What the test must still be able to reach, or it is ended early; None if it is to run
            to its end in any case.
    """

    number: int
    role: Role
    config: Config
    seed: int
    bar: Bar | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping for the journal and for Ray Tune."""
        return {
            "number": self.number,
            "role": self.role.value,
            "config": dict(self.config),
            "seed": self.seed,
            "bar": self.bar.to_json() if self.bar else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Assignment":
        """Rebuild what `to_json` wrote."""
        return cls(
            number=data["number"],
            role=Role(data["role"]),
            config=dict(data["config"]),
            seed=data["seed"],
            bar=Bar.from_json(data["bar"]) if data.get("bar") else None,
        )


@dataclass(frozen=True)
class TrialRecord:
    """Record a finished trial; the first four fields are what optimisers learn from.

    Attributes:
        number: Position in the study; 0 is the default configuration.
        config: The configuration that was measured.
        state: How it ended.
        metrics: Values by metric name; empty unless COMPLETE.
        role: Why it was run.
        failure: What went wrong, if anything did.
        phases_s: Seconds spent by phase name.
        seed: Seed of the arrival order.
        trial_id: Ray Tune's identifier, also the name of the trial's folder.
        num_gpus: GPUs in the trial's bundle.
        gpu_seconds: Bundle GPUs times seconds held; simulated seconds in virtual time.
        started_at_s: When it had its bundle, in seconds since 1970; 0 if that is not known.
        ended_at_s: When its end was known to the driver, likewise.
        is_bound: The test was ended early and the metrics are bounds, as in `Outcome`: at least
            this for a time, at most this for a rate. To a model it is a censored observation.
        early_stop: Why it was ended early, for a person; empty if it was not.
        first_failure: What ended a first try, if this is how a second one ended.
    """

    number: int
    config: Config
    state: TrialState
    metrics: Mapping[str, float]
    role: Role = Role.SEARCH
    failure: Failure | None = None
    phases_s: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    trial_id: str = ""
    num_gpus: int = 0
    gpu_seconds: float = 0.0
    is_bound: bool = False
    early_stop: str = ""
    first_failure: Failure | None = None
    started_at_s: float = 0.0
    ended_at_s: float = 0.0

    @classmethod
    def of(cls, assignment: Assignment, outcome: Outcome, **facts: Any) -> "TrialRecord":
        """Record how an assignment ended; `facts` are the fields that neither of them has."""
        return cls(
            number=assignment.number,
            config=assignment.config,
            state=outcome.state,
            metrics=outcome.metrics,
            role=assignment.role,
            failure=outcome.failure,
            phases_s=outcome.phases_s,
            seed=assignment.seed,
            is_bound=outcome.is_bound,
            early_stop=outcome.early_stop,
            first_failure=outcome.first_failure,
            **facts,
        )

    @property
    def note(self) -> str:
        """What a person should know of its end; empty if there is nothing to tell."""
        if self.failure is not None:
            return self.failure.message
        if self.first_failure is None:
            return self.early_stop
        why = f"Run again, because at first: {self.first_failure.message}"
        return f"{self.early_stop} {why}".strip()

    @property
    def mishap(self) -> Failure | None:
        """What went wrong, in the end or else in a first try."""
        return self.failure or self.first_failure

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping for the journal."""
        return {
            "number": self.number,
            "role": self.role.value,
            "config": dict(self.config),
            "state": self.state.value,
            "metrics": dict(self.metrics),
            "failure": self.failure.to_json() if self.failure else None,
            "phases_s": dict(self.phases_s),
            "seed": self.seed,
            "trial_id": self.trial_id,
            "num_gpus": self.num_gpus,
            "gpu_seconds": self.gpu_seconds,
            "is_bound": self.is_bound,
            "early_stop": self.early_stop,
            "first_failure": self.first_failure.to_json() if self.first_failure else None,
            "started_at_s": self.started_at_s,
            "ended_at_s": self.ended_at_s,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TrialRecord":
        """Rebuild what `to_json` wrote."""
        return cls(
            number=data["number"],
            config=dict(data["config"]),
            state=TrialState(data["state"]),
            metrics=dict(data["metrics"]),
            role=Role(data["role"]),
            failure=_failure_of(data, "failure"),
            phases_s=dict(data["phases_s"]),
            seed=data.get("seed", 0),
            trial_id=data.get("trial_id", ""),
            num_gpus=data.get("num_gpus", 0),
            gpu_seconds=data.get("gpu_seconds", 0.0),
            is_bound=data.get("is_bound", False),
            early_stop=data.get("early_stop", ""),
            first_failure=_failure_of(data, "first_failure"),
            started_at_s=data.get("started_at_s", 0.0),
            ended_at_s=data.get("ended_at_s", 0.0),
        )


def _failure_of(data: Mapping[str, Any], key: str) -> Failure | None:
    return Failure.from_json(data[key]) if data.get(key) else None


def trial_seed(study_seed: int, number: int) -> int:
    """Derive a trial's seed from the study's, so that any trial can be replayed alone."""
    return int(np.random.SeedSequence([study_seed, number]).generate_state(1)[0])


def confirmation_seed(study_seed: int, repeat: int) -> int:
    """Derive the seed of a confirmation: every finalist meets the same arrival orders."""
    sequence = np.random.SeedSequence([study_seed, repeat], spawn_key=(1,))
    return int(sequence.generate_state(1)[0])


def phase_names(trials: Sequence[TrialRecord]) -> list[str]:
    """List the names under which trials timed their phases, in the order of a trial.

    A trial that went further than others has more of them.
    """
    timed = sorted((record.phases_s for record in trials), key=len, reverse=True)
    return list(dict.fromkeys(name for phases_s in timed for name in phases_s))
