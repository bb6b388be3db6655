"""SCOOT: Bayesian optimisation under known and hidden constraints (WWW 2025, arXiv 2408.04323)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.candidates import Region, make_up
from searchers.initial_design import InitialDesign
from searchers.mobo import propose_several
from searchers.observations import Observations
from searchers.sobo import propose_single


class Scoot:
    """Suggest configurations by the design's section 5, for one objective or several.

    Args:
        space: What may be tuned, the default and the known constraints.
        objectives: What to optimise, at least one.
        seed: With the history and the pending configurations, it determines every suggestion.
        limits: SLOs that a recommended configuration must meet.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        seed: int,
        limits: Sequence[Limit] = (),
    ) -> None:
        self._space = space
        self._objectives = tuple(objectives)
        self._limits = tuple(limits)
        self._seed = seed
        self._design = InitialDesign(space, seed)

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        """Propose `num` configurations; see `Optimizer.suggest`.

        Raises:
            ValueError: If `num` is less than 1.
            SpaceError: If no valid configuration can be found.
        """
        if num < 1:
            raise ValueError(f"num: expected at least 1, got {num}.")
        data = Observations.of(self._space, self._objectives, self._limits, history, pending)
        chosen = self._design.propose(data.taken, num)
        if len(chosen) < num:
            chosen += self._search(data.awaiting(chosen), num - len(chosen))
        return chosen

    def _search(self, data: Observations, num: int) -> list[dict[str, Any]]:
        rng = np.random.default_rng([self._seed, data.count])
        region = Region.learn(data, rng)
        chosen: list[dict[str, Any]] = []
        # With nothing measured (crashes only) the forest alone says where to go.
        if data.is_measured:
            propose = propose_single if len(self._objectives) == 1 else propose_several
            chosen = propose(data, region, num, rng)
        missing = num - len(chosen)
        if missing:
            chosen += make_up(region.without(chosen), missing, int(rng.integers(2**31)))
        return chosen
