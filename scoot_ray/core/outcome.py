"""How one stress test ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from scoot_ray.core.failure import Failure, failure_of


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "COMPLETE"
    INFEASIBLE = "INFEASIBLE"  # the configuration's own fault: the hidden-constraint label
    FAILED = "FAILED"  # infrastructure; retried, shown to no model
    CANCELLED = "CANCELLED"


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
        estimate: What the whole test would probably have measured, by metric name, never better
            than the bound, for the search to learn from. A metric that nothing told of is left
            out; empty if the test was not ended early.
        early_stop: Why it was ended early, for a person; empty if it was not.
        first_failure: What nothing explained and therefore was tried once more; this is how the
            second try ended.
    """

    state: TrialState
    metrics: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    phases_s: Mapping[str, float] = field(default_factory=dict)
    is_bound: bool = False
    estimate: Mapping[str, float] = field(default_factory=dict)
    early_stop: str = ""
    first_failure: Failure | None = None

    def __post_init__(self) -> None:
        if self.state is TrialState.COMPLETE and not self.metrics:
            raise ValueError("a COMPLETE outcome needs metrics")
        if self.is_bound and self.state is not TrialState.COMPLETE:
            raise ValueError(f"an outcome that is {self.state.value} has no bounds")
        if self.estimate and not self.is_bound:
            raise ValueError("an outcome that was measured whole needs no estimate")
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
            "estimate": dict(self.estimate),
            "early_stop": self.early_stop,
            "first_failure": self.first_failure.to_json() if self.first_failure else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Outcome":
        """Rebuild what `to_json` wrote."""
        return cls(
            state=TrialState(data["state"]),
            metrics=dict(data["metrics"]),
            failure=failure_of(data, "failure"),
            phases_s=dict(data["phases_s"]),
            is_bound=data.get("is_bound", False),
            estimate=dict(data.get("estimate", {})),
            early_stop=data.get("early_stop", ""),
            first_failure=failure_of(data, "first_failure"),
        )
