"""What services that replay a trace have in common: objectives, stated loads, judges."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import PRESETS, Objective
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config, SearchSpace

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


@dataclass(frozen=True)
class ReplayedService(ABC):
    """A service on an engine model that replays the requests of a trace.

    Attributes:
        workload: A key of `OBJECTIVES`.
        rate_rps: Requests a second; None until `at_stated_load` has found it.
        judge_seeds: Arrival orders by which a configuration is judged.
    """

    judge_seeds: ClassVar[Sequence[int]] = JUDGE_SEEDS

    workload: str
    rate_rps: float | None = field(default=None, kw_only=True)

    @property
    @abstractmethod
    def name(self) -> str:
        """Name the service by everything that makes it."""

    @property
    @abstractmethod
    def space(self) -> SearchSpace:
        """What may be tuned."""

    @property
    def objectives(self) -> Sequence[Objective]:
        """What is optimised."""
        return PRESETS[OBJECTIVES[self.workload]]

    @abstractmethod
    def measure(self, config: Config, seed: int) -> Outcome:
        """Measure a configuration under the arrival order of a seed."""

    def judge(self, config: Config) -> Sequence[Mapping[str, float]]:
        """Return the metrics under each judge's arrival order; none if one of them failed."""
        return judged([self.measure(config, seed) for seed in self.judge_seeds])

    def at_stated_load(self) -> Self:
        """Return the service at its share of the default's saturation rate.

        Raises:
            StudyError: If the default configuration does not run at all.
        """
        rate_rps = LOADS[OBJECTIVES[self.workload]] * self._saturation_rps()
        return replace(self, rate_rps=float(f"{rate_rps:.3g}"))

    def _saturation_rps(self) -> float:
        """Return the throughput of the default once it completes clearly less than arrives."""
        rate_rps = FIRST_RATE_RPS
        while rate_rps < LAST_RATE_RPS:
            outcome = replace(self, rate_rps=rate_rps).measure(self.space.default, JUDGE_SEEDS[0])
            if outcome.state is not TrialState.COMPLETE:
                message = outcome.failure.message if outcome.failure else "no reason given"
                raise StudyError(f"{self.name}: the default configuration does not run: {message}")
            throughput_rps = outcome.metrics["throughput_rps"]
            if throughput_rps < SATURATED * rate_rps:
                return throughput_rps
            rate_rps *= 2.0
        raise StudyError(f"{self.name}: {LAST_RATE_RPS:g} requests/s do not saturate the default.")


def judged(outcomes: Sequence[Outcome]) -> Sequence[Mapping[str, float]]:
    """Return the metrics of every judge's test; none if one of them failed."""
    if any(outcome.state is not TrialState.COMPLETE for outcome in outcomes):
        return []
    return [outcome.metrics for outcome in outcomes]
