"""Random search, as scrambled Sobol points: the baseline that every other optimiser must beat."""

from collections.abc import Sequence
from typing import Any

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.initial_design import make_up
from searchers.observations import Observations, key_of
from searchers.optimizer import require_num


class RandomSearch:
    """Suggest the default first, then the Sobol configurations that are valid and new.

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
        require_num(num)
        space = self._space
        data = Observations.of(space, self._objectives, self._limits, history, pending)
        chosen = [dict(space.default)] if data.count == 0 else []
        # Always from the beginning of the sequence: what is taken is passed over, so it goes on.
        if len(chosen) < num:
            taken = data.taken | {key_of(space, space.default)}
            chosen += make_up(space, taken, num - len(chosen), self._seed)
        return chosen
