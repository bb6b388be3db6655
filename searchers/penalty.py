"""A value for what crashed, for optimisers that know no hidden constraints."""

import numpy as np

from scoot_ray.core.space import FloatArray
from searchers.observations import Observations


def penalised(data: Observations) -> FloatArray:
    """Return losses, shape [n, m], in which a crash has the worst value that was measured.

    Completed trials without a measurement stay NaN; so does everything while nothing is measured.
    """
    losses = data.losses.copy()
    if data.is_measured:
        losses[~data.completed] = np.nanmax(losses, axis=0)
    return losses
