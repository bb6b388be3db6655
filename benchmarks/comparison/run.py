"""One search of a comparison: what it is (`Task`) and what it came to (`Run`)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """Name one search; equal tasks give equal runs, timings aside.

    Attributes:
        rate_rps: The service's load, where it is a choice.
        parallelism: Trials at once.
        observations: Trials after the default.
    """

    service: str
    rate_rps: float | None
    algorithm: str
    parallelism: int
    seed: int
    observations: int


@dataclass(frozen=True)
class Run:
    """Hold what a search came to.

    Attributes:
        task: Which search.
        curve: Improvement over the default, as judged, after 0 to `observations` observations:
            the relative gain of the best measured configuration, or, for several objectives, the
            hypervolume that the measured front dominates below the default, whose box is 1.
        doubt: Standard error of the final improvement over the judges.
        seeming: Improvement at the end by the search's own measurements, luck included.
        num_infeasible: Trials that crashed.
        suggestion_s: Mean wall time of a suggestion.
        suggestion_p95_s: Its 95th percentile.
        total_s: Time that the trials took at this parallelism, simulated; suggesting left out.
        chosen: Judged metrics of the configuration that the search would recommend.
        default: Judged metrics of the default.
        commit: What of SCOOT-Ray searched.
    """

    task: Task
    curve: tuple[float, ...]
    doubt: float
    seeming: float
    num_infeasible: int
    suggestion_s: float
    suggestion_p95_s: float
    total_s: float
    chosen: Mapping[str, float]
    default: Mapping[str, float]
    commit: str

    @property
    def final(self) -> float:
        """Improvement after all observations."""
        return self.curve[-1]

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Run":
        """Rebuild what `to_json` wrote."""
        fields = {name: data[name] for name in cls.__dataclass_fields__}
        return cls(**{**fields, "task": Task(**data["task"]), "curve": tuple(data["curve"])})
