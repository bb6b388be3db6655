"""Objectives (what to optimise) and limits (what a recommended configuration must meet)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scoot_ray.core.errors import StudyError, did_you_mean
from scoot_ray.core.metrics import METRICS, RATES

Direction = Literal["min", "max"]


@dataclass(frozen=True)
class Objective:
    """Name a metric and the direction in which it is better.

    Custom metric names are allowed here, so that the searchers can serve other programs;
    a study file is checked against the metrics that are measured (`require_metric`).
    """

    metric: str
    direction: Direction

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max"):
            raise StudyError(
                f"Objective {self.metric}: direction must be min or max, got {self.direction!r}."
            )

    @property
    def sign(self) -> int:
        """Factor that makes smaller better: 1 for "min", -1 for "max"."""
        return 1 if self.direction == "min" else -1

    def is_better(self, value: float, than: float) -> bool:
        """Tell whether `value` beats `than`."""
        return self.sign * value < self.sign * than

    def gain(self, value: float, default: float) -> float:
        """Relative improvement over the default; positive is better, 0.2 is 20 % better."""
        return 0.0 if default == 0 else self.sign * (default - value) / abs(default)


@dataclass(frozen=True)
class Limit:
    """State an SLO: a bound that a configuration must meet to be recommended.

    `bound` is in the metric's own unit: an upper bound for times, a lower one for rates.
    """

    metric: str
    bound: float

    @property
    def is_upper(self) -> bool:
        """Tell whether the metric must stay below the bound."""
        return self.metric not in RATES

    def met_by(self, metrics: Mapping[str, float]) -> bool:
        """Tell whether the measured metrics meet the limit; a missing metric does not."""
        return self.excess(metrics) <= 0

    def excess(self, metrics: Mapping[str, float]) -> float:
        """Relative amount by which the limit is missed; at most 0 when it is met."""
        value = metrics.get(self.metric)
        if value is None:
            return float("inf")
        distance = value - self.bound if self.is_upper else self.bound - value
        return distance / abs(self.bound) if self.bound else distance

    def __str__(self) -> str:
        return f"{self.metric} {'<=' if self.is_upper else '>='} {self.bound:g}"


PRESETS: Mapping[str, tuple[Objective, ...]] = {
    "interactive": (Objective("ttft_mean_s", "min"), Objective("tpot_mean_s", "min")),
    "online": (Objective("latency_p95_s", "min"),),
    "offline": (Objective("throughput_rps", "max"),),
}


def require_metric(metric: str) -> str:
    """Return `metric` if it is one that is measured.

    Raises:
        StudyError: Naming the closest metric that is.
    """
    if metric in METRICS:
        return metric
    hint = did_you_mean(metric, METRICS)
    raise StudyError(f"{metric!r} is not a metric.{hint} The metrics are: {', '.join(METRICS)}.")


def losses(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> tuple[float, ...]:
    """Return the objective values with smaller better, shape [m].

    Raises:
        KeyError: If a metric was not measured.
    """
    return tuple(o.sign * metrics[o.metric] for o in objectives)
