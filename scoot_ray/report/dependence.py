"""How a function over the unit cube depends on one of its inputs, the others averaged out.

symbol      meaning                                          shape
background  points over which the other inputs are averaged  [b, d]
levels      where the input is held                          [g]
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import qmc

from scoot_ray.core.space import FloatArray, Parameter, SearchSpace

NUM_LEVELS = 15
NUM_BACKGROUND = 256

Function = Callable[[FloatArray], FloatArray]


def make_background(space: SearchSpace) -> FloatArray:
    """Spread configurations evenly over the space, shape [b, d]: the same ones each time."""
    points = qmc.Sobol(space.dim, seed=0).random(NUM_BACKGROUND)
    return np.array([space.encode(space.decode(point)) for point in points])


def levels_of(parameter: Parameter) -> FloatArray:
    """Spread levels over a parameter's range, each at a value that it can take."""
    units = np.linspace(0.0, 1.0, NUM_LEVELS)
    return np.array(sorted({float(parameter.encode(parameter.decode(unit))) for unit in units}))


def dependence(
    function: Function, background: FloatArray, column: int, levels: FloatArray
) -> FloatArray:
    """Return the mean of a function over the background at each level, shape [g].

    Friedman's partial dependence (2001).
    """
    points = np.tile(background, (len(levels), 1))
    points[:, column] = np.repeat(levels, len(background))
    return np.asarray(function(points).reshape(len(levels), -1).mean(axis=1))


def shares(function: Function, background: FloatArray, levels: list[FloatArray]) -> FloatArray:
    """Return each input's share of the function's variance by itself, shape [d], in [0, 1].

    Sobol's first-order index, estimated from the partial dependences. What inputs do together
    belongs to none of them, so the sum is below 1 where they interact.
    """
    total = float(function(background).var())
    alone = [
        float(dependence(function, background, column, at).var())
        for column, at in enumerate(levels)
    ]
    return np.clip(np.array(alone) / total, 0.0, 1.0) if total > 0 else np.zeros(len(levels))
