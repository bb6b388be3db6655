"""Searches that show what others are worth: luck alone, and the method with a part taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.designed_search import DesignedSearch
from searchers.observations import Observations


@dataclass(frozen=True)
class RepeatedDefault:
    """Suggest the default again and again: its best measurement is what luck brings."""

    space: SearchSpace

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        """Propose the default `num` times."""
        return [dict(self.space.default) for _ in range(num)]


def without_feasibility(search: DesignedSearch) -> DesignedSearch:
    """Return a search whose model of feasibility has never seen a crash.

    It then doubts nothing but what lies beyond everything that was tried, and the threshold gates
    next to nothing. Crashes teach no objective, as ever.
    """

    def propose(data: Observations, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        ignorant = replace(data, completed=np.ones_like(data.completed))
        return search.propose(ignorant, num, rng)

    return replace(search, propose=propose)
