"""Simulated trials that take their time, for watching a cluster at work without any engine."""

import asyncio
from dataclasses import dataclass

from scoot_ray.core.bar import Bar
from scoot_ray.core.outcome import Outcome
from scoot_ray.core.space import Config
from traces.schema import Trace
from trainables.clock import WallClock
from trainables.stress_test import StressTest


@dataclass(frozen=True)
class PacedStressTest:
    """Let a stress test in virtual time last as long as its phases say, times `pace`.

    Attributes:
        stress_test: What measures.
        pace: Real seconds for each simulated one; 1 is real time.
    """

    stress_test: StressTest
    pace: float

    def run(self, config: Config, trace: Trace, seed: int, bar: Bar | None = None) -> Outcome:
        """Run the stress test, then wait for the rest of its time; see `StressTest.run`."""
        clock = WallClock()
        outcome = self.stress_test.run(config, trace, seed, bar)
        asyncio.run(clock.sleep_until(self.pace * sum(outcome.phases_s.values())))
        return outcome
