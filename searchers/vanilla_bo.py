"""Vanilla Bayesian optimisation, a baseline of the paper: UCB or EHVI, no hidden constraints.

The surrogate is a random forest, a crash counts as the worst value measured, and suggestions
satisfy the known constraints.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import SearchSpace
from searchers.acquisition import ucb
from searchers.candidates import Region, search
from searchers.designed_search import DesignedSearch
from searchers.forest_surrogate import fit_forest
from searchers.mobo import propose_several
from searchers.observations import Observations
from searchers.penalty import penalised


def vanilla_search(
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    seed: int,
    limits: Sequence[Limit] = (),
) -> DesignedSearch:
    """Build the baseline; limits change nothing."""
    return DesignedSearch(space, objectives, limits, seed, space.dim, propose)


def propose(data: Observations, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Propose at most `num` configurations; none while nothing has been measured."""
    if not data.is_measured:
        return []
    region = Region(data.space, data.taken)
    columns = penalised(data).T
    surrogates = [fit_forest(data.points, c, int(rng.integers(2**31))) for c in columns]
    if len(surrogates) > 1:
        return propose_several(data, surrogates, region, num, rng)
    return search(region, ucb(surrogates[0], data.num_measured), rng).best(num)
