"""A trial: the record that is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.failure import AT_FIRST, Failure, failure_of
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config


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
            this for a time, at most this for a rate.
        estimate: What the whole test would probably have measured, as in `Outcome`.
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
    estimate: Mapping[str, float] = field(default_factory=dict)
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
            estimate=outcome.estimate,
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
        return f"{self.early_stop} {AT_FIRST}{self.first_failure.message}".strip()

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
            "estimate": dict(self.estimate),
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
            failure=failure_of(data, "failure"),
            phases_s=dict(data["phases_s"]),
            seed=data.get("seed", 0),
            trial_id=data.get("trial_id", ""),
            num_gpus=data.get("num_gpus", 0),
            gpu_seconds=data.get("gpu_seconds", 0.0),
            is_bound=data.get("is_bound", False),
            estimate=dict(data.get("estimate", {})),
            early_stop=data.get("early_stop", ""),
            first_failure=failure_of(data, "first_failure"),
            started_at_s=data.get("started_at_s", 0.0),
            ended_at_s=data.get("ended_at_s", 0.0),
        )


def phase_names(trials: Sequence[TrialRecord]) -> list[str]:
    """List the names under which trials timed their phases, in the order of a trial.

    A trial that went further than others has more of them.
    """
    timed = sorted((record.phases_s for record in trials), key=len, reverse=True)
    return list(dict.fromkeys(name for phases_s in timed for name in phases_s))
