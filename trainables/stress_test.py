"""The seam behind which a configuration is measured, for real or in virtual time."""

from typing import Protocol

from scoot_ray.core.bar import Bar
from scoot_ray.core.outcome import Outcome
from scoot_ray.core.space import Config
from traces.schema import Trace


class StressTest(Protocol):
    """Measure one configuration by replaying a trace."""

    def run(self, config: Config, trace: Trace, seed: int, bar: Bar | None = None) -> Outcome:
        """Run one stress test from start to stop.

        Args:
            config: Values of the tuned parameters; the study's fixed flags are added to them.
            trace: The service's requests as loaded; selection and arrivals are made here.
            seed: Decides which requests arrive in which order, and when.
            bar: The test ends as soon as it can no longer reach it, COMPLETE with bounds for
                metrics (`Outcome.is_bound`); without one it runs to its end.

        Returns:
            COMPLETE with metrics, INFEASIBLE when the configuration is at fault, or FAILED when
            the infrastructure is. Nothing else is raised for what an engine does.
        """
        ...
