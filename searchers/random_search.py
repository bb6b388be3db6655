"""Random search: the baseline that every other optimiser must beat."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.initial_design import draw_valid, uniform_stream
from searchers.observations import Observations, key_of


class RandomSearch:
    """Suggest the default first, then uniform random configurations that are valid and new.

    Objectives and limits are taken so that every optimiser is made alike; they change nothing.
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
        space = self._space
        data = Observations.of(space, self._objectives, self._limits, history, pending)
        chosen = [dict(space.default)] if data.count == 0 else []
        taken = data.taken | {key_of(space, space.default)}
        rng = np.random.default_rng([self._seed, data.count])
        chosen += draw_valid(space, uniform_stream(space.dim, rng), num - len(chosen), taken)
        while len(chosen) < num:  # the space is exhausted, so configurations repeat
            again = draw_valid(space, uniform_stream(space.dim, rng), num - len(chosen), set())
            chosen += again or [dict(space.default)]
        return chosen
