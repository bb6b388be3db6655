"""What services that replay a trace have in common: objectives, stated loads, judges."""

from collections.abc import Callable, Mapping, Sequence

from benchmarks.comparison.service import Service
from scoot_ray.core.errors import StudyError
from scoot_ray.core.outcome import Outcome, TrialState

OBJECTIVES = {
    "bot": "interactive",
    "sql": "online",
    "rec": "offline",
    "cls": "offline",
    "azure": "interactive",
}
"""The objective of each workload, as in the paper; a chatbot's for the Azure conversations."""

LOADS = {"interactive": 1.0, "online": 1.0, "offline": 1.5}
"""Request rate by objective, in saturation rates of the default configuration.

Near saturation, queues make times differ; throughput differs only where there is more work than
the default can do.
"""

JUDGE_SEEDS = tuple(range(1_000_001, 1_000_009))
"""Arrival orders by which configurations are judged; trial seeds are never so small a set.

Two were too few: the best that any of a hundred searches found was then the luckiest one, and what
the better searches gained drowned in it.
"""
SATURATED = 0.7
"""A service that completes less than this share of what arrives is saturated."""
FIRST_RATE_RPS, LAST_RATE_RPS = 1.0, 1024.0


def stated_rate_rps(workload: str, at_rate: Callable[[float], Service]) -> float:
    """Return the workload's stated share of the rate at which the default saturates.

    Args:
        workload: A key of `OBJECTIVES`.
        at_rate: Returns the service at a request rate.

    Raises:
        StudyError: If the default configuration does not run at all.
    """
    return float(f"{LOADS[OBJECTIVES[workload]] * _saturation_rps(at_rate):.3g}")


def _saturation_rps(at_rate: Callable[[float], Service]) -> float:
    """Return the throughput of the default once it completes clearly less than arrives."""
    rate_rps = FIRST_RATE_RPS
    while rate_rps < LAST_RATE_RPS:
        service = at_rate(rate_rps)
        outcome = service.measure(service.space.default, JUDGE_SEEDS[0])
        if outcome.state is not TrialState.COMPLETE:
            message = outcome.failure.message if outcome.failure else "no reason given"
            raise StudyError(f"{service.name}: the default configuration does not run: {message}")
        throughput_rps = outcome.metrics["throughput_rps"]
        if throughput_rps < SATURATED * rate_rps:
            return throughput_rps
        rate_rps *= 2.0
    name = at_rate(rate_rps).name
    raise StudyError(f"{name}: {LAST_RATE_RPS:g} requests/s do not saturate the default.")


def judged(outcomes: Sequence[Outcome]) -> Sequence[Mapping[str, float]]:
    """Return the metrics of every judge's test; none if one of them failed."""
    if any(outcome.state is not TrialState.COMPLETE for outcome in outcomes):
        return []
    return [outcome.metrics for outcome in outcomes]
