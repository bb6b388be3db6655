"""The loop that every model-based optimiser here shares: initial design, proposals, make-up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.initial_design import InitialDesign, make_up
from searchers.observations import Observations
from searchers.optimizer import require_num

Propose = Callable[[Observations, int, np.random.Generator], list[dict[str, Any]]]
"""Propose at most so many new configurations from what was observed, with this randomness."""


@dataclass(frozen=True)
class DesignedSearch:
    """Suggest the initial design, then what `propose` finds, then Sobol points for what it lacks.

    Attributes:
        space: What may be tuned, the default and the known constraints.
        objectives: What to optimise, at least one.
        limits: SLOs that a recommended configuration must meet.
        seed: With the history and the pending configurations, it determines every suggestion.
        design_size: Sobol points after the default.
        propose: The method proper.
        advice: Configurations to try before the Sobol points.
    """

    space: SearchSpace
    objectives: Sequence[Objective]
    limits: Sequence[Limit]
    seed: int
    design_size: int
    propose: Propose
    advice: tuple[Config, ...] = ()

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        """Propose `num` configurations; see `Optimizer.suggest`.

        Raises:
            ValueError: If `num` is less than 1.
            SpaceError: If no valid configuration can be found.
        """
        require_num(num)
        # More threads gain nothing on matrices this small; on busy cores they wait for each other.
        with threadpool_limits(limits=1):
            return self._suggest(history, pending, num)

    def _suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int
    ) -> list[dict[str, Any]]:
        data = Observations.of(self.space, self.objectives, self.limits, history, pending)
        design = InitialDesign(self.space, self.design_size, self.seed, self.advice)
        chosen = design.propose(data.taken, num)
        if len(chosen) < num:
            data = data.awaiting(chosen)
            rng = np.random.default_rng([self.seed, data.count])
            chosen += self.propose(data, num - len(chosen), rng)
        missing = num - len(chosen)
        if missing:
            chosen += make_up(self.space, data.awaiting(chosen).taken, missing, self.seed)
        return chosen
