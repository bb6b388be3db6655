"""Mutation of configurations in the unit cube, for parameters of every kind."""

import numpy as np

from scoot_ray.core.space import FloatArray, SearchSpace

FEW_VALUES = 8  # up to so many values have no neighbourhood worth the name
STEPS = (0.03, 0.1, 0.3)  # deviations of a step, in the unit cube: near, middling, far


def mutate(
    space: SearchSpace, points: FloatArray, rng: np.random.Generator, num_expected: float
) -> FloatArray:
    """Draw anew at least one coordinate of each point, shape [n, d], and about `num_expected`.

    A parameter with few values takes any of them; another takes a step of random size, which ends
    at the edge of the cube.
    """
    n, d = points.shape
    moved = rng.random((n, d)) < num_expected / d
    moved[np.arange(n), rng.integers(d, size=n)] = True
    is_small = np.array([parameter.num_values <= FEW_VALUES for parameter in space.parameters])
    steps = rng.choice(STEPS, (n, 1)) * rng.normal(size=(n, d))
    stepped = np.clip(points + steps, 0.0, 1.0)
    return np.where(moved, np.where(is_small, rng.random((n, d)), stepped), points)
