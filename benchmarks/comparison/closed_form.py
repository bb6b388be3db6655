"""Services in closed form (`benchmarks.analytic_engine`), named `closed-OBJECTIVE-NUMBER`.

They share no code with the simulator, cost next to nothing and are judged without noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from benchmarks.analytic_engine import DURATION_S, Service
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.objective import PRESETS, Objective
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config, SearchSpace

NUMBERS = (*range(4), *range(100, 108))
"""Below 100 for development, from 100 on held out."""
START_S = 40.0


@dataclass(frozen=True)
class ClosedFormService:
    """Adapt a drawn service to the comparison."""

    objective: str
    number: int
    rate_rps: float | None = None

    @property
    def name(self) -> str:
        """Name the service by what it is drawn from."""
        return f"closed-{self.objective}-{self.number}"

    @cached_property
    def engine(self) -> Service:
        """The service as drawn."""
        return Service.draw(self.number, self.objective)

    @cached_property
    def space(self) -> SearchSpace:
        """What may be tuned."""
        return self.engine.space

    @property
    def objectives(self) -> Sequence[Objective]:
        """What is optimised."""
        return self.engine.objectives

    def measure(self, config: Config, seed: int) -> Outcome:
        """Measure with noise; a test lasts as long as its load and a start."""
        metrics = self.engine.measure(config, np.random.default_rng(seed))
        if metrics is None:
            failure = Failure(Phase.START, "out_of_memory", "The closed form says no.")
            return Outcome(TrialState.INFEASIBLE, failure=failure, phases_s={"start": START_S})
        phases_s = {"start": START_S, "load": DURATION_S}
        return Outcome(TrialState.COMPLETE, metrics, phases_s=phases_s)

    def judge(self, config: Config) -> Sequence[Mapping[str, float]]:
        """Return the metrics without noise, by one judge."""
        metrics = self.engine.measure(config)
        return [] if metrics is None else [metrics]

    def at_stated_load(self) -> Self:
        """Return the service as it is: its load is drawn with it."""
        return self


def closed_form_services() -> list[ClosedFormService]:
    """List the services that have a name."""
    return [ClosedFormService(objective, number) for objective in PRESETS for number in NUMBERS]
