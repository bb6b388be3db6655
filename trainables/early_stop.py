"""The early end of hopeless tests, while their load runs."""

from collections.abc import Callable

from scoot_ray.core.bar import Bar
from scoot_ray.core.bounds import best_possible
from scoot_ray.core.fastest import Fastest
from scoot_ray.core.metrics import RATES
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.outlook import outlook
from scoot_ray.core.partial_load import PartialLoad
from scoot_ray.core.study import Study
from traces.workload import Load
from trainables.clock import Clock

CHECKS_PER_LOAD = 100
GROWTH_SAMPLES = 4
"""A queue is called growing when it is longer at each of so many evenly spaced moments."""


class EarlyStop:
    """Compare a running load with the bar, a hundred times in its duration and as often after it.

    Args:
        study: The study.
        bar: What the test must still be able to reach.
        load: The load that is running.
        share: Part of the service's traffic that it is, in (0, 1].

    Attributes:
        partial: The load so far, which the stress test keeps up to date.
        interval_s: Time between two checks.
        reason: Why the test ends early, once it does; empty before.
    """

    def __init__(self, study: Study, bar: Bar, load: Load, share: float) -> None:
        self.partial = PartialLoad(load.requests)
        self.interval_s = study.workload.duration_s / CHECKS_PER_LOAD
        self.reason = ""
        self._study = study
        self._bar = bar
        self._share = share
        self._in_flight: list[float] = []

    def is_due(self, now_s: float) -> bool:
        """Tell whether a check is due."""
        return now_s >= self.partial.now_s + self.interval_s

    async def wait(self, update: Callable[[PartialLoad], None], clock: Clock) -> None:
        """Return once the test can end; `update` tells what has happened, before each check."""
        while True:
            await clock.sleep_until(clock.now() + self.interval_s)
            update(self.partial)
            if self.check():
                return

    def check(self) -> bool:
        """Tell whether the test can end now, and keep the reason."""
        study = self._study
        self.reason = self._bar.miss(self._bounds(), study.objectives, study.slo_limits)
        if not self.reason and self._is_diverging():
            self.reason = "its queue grows without bound"
        return bool(self.reason)

    def outcome(self) -> Outcome:
        """Return the outcome of a test that ended early; its phases are the caller's to add."""
        bounds, study = self._bounds(), self._study
        guess = outlook(self.partial, share=self._share, bounds_s=study.goodput_bounds_s)
        return Outcome(
            TrialState.COMPLETE,
            bounds,
            is_bound=True,
            estimate={m: _worse(m, bound, guess[m]) for m, bound in bounds.items() if m in guess},
            early_stop=f"{self.reason} (after {self.partial.now_s:.0f} s of load)",
        )

    def _bounds(self) -> dict[str, float]:
        return best_possible(
            self.partial,
            max_failed_share=self._study.workload.max_failed_share,
            share=self._share,
            bounds_s=self._study.goodput_bounds_s,
            fastest=Fastest.of(self.partial),
        )

    def _is_diverging(self) -> bool:
        """Look at the queue at evenly spaced moments, from a quarter of the load to its end."""
        self._in_flight.append(self.partial.num_in_flight / self._share)
        step, now_s = len(self._in_flight) // GROWTH_SAMPLES, self.partial.now_s
        duration_s = self._study.workload.duration_s
        if not step or not duration_s / GROWTH_SAMPLES <= now_s <= duration_s:
            return False
        return self._bar.is_diverging(self._in_flight[::-step][:GROWTH_SAMPLES][::-1])


def _worse(metric: str, bound: float, guess: float) -> float:
    return min(bound, guess) if metric in RATES else max(bound, guess)
