"""Random search, as scrambled Sobol points: the baseline that every other optimiser must beat."""

from collections.abc import Iterator, Sequence
from typing import Any

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import Config, FloatArray, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.initial_design import draw_valid, sobol_stream
from searchers.observations import Observations, key_of


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
        if num < 1:
            raise ValueError(f"num: expected at least 1, got {num}.")
        space = self._space
        data = Observations.of(space, self._objectives, self._limits, history, pending)
        chosen = [dict(space.default)] if data.count == 0 else []
        taken = data.taken | {key_of(space, space.default)}
        chosen += draw_valid(space, self._stream(), num - len(chosen), taken)
        while len(chosen) < num:  # the space is exhausted, so configurations repeat
            again = draw_valid(space, self._stream(), num - len(chosen), frozenset())
            chosen += again or [dict(space.default)]
        return chosen

    def _stream(self) -> Iterator[FloatArray]:
        # Always from its beginning: what is taken is passed over, so the sequence goes on.
        return sobol_stream(self._space.dim, self._seed)
