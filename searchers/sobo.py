"""The paper's single-objective search: MACE, k suggestions at random from its Pareto front."""

from typing import Any

import numpy as np

from searchers.acquisition import mace
from searchers.candidates import Region, search
from searchers.observations import Observations
from searchers.surrogate import Surrogate


def propose_single(
    data: Observations, loss: Surrogate, region: Region, num: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Propose at most `num` configurations for one objective.

    Args:
        data: What was measured, at least one loss among it.
        loss: The surrogate of the objective.
        region: Where suggestions may lie.
        num: How many to propose.
        rng: Source of randomness.

    Returns:
        Fewer than `num` only when the region holds fewer candidates.
    """
    best = float(data.losses[data.is_complete].min())
    acquisition = mace(loss, best, data.num_measured)
    return search(region, acquisition, rng).draw(num, rng)
