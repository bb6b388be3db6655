"""Mutation of configurations in the unit cube, for parameters of every kind."""

import numpy as np

from scoot_ray.core.space import FloatArray, SearchSpace

FEW_VALUES = 8  # up to so many values have no neighbourhood worth the name
STEPS = (0.03, 0.1, 0.3)  # deviations of a step, in the unit cube: near, middling, far


def mutate(
    space: SearchSpace, point: FloatArray, rng: np.random.Generator, num_expected: float
) -> FloatArray:
    """Draw anew at least one coordinate of a point, shape [d], and about `num_expected` of them.

    A parameter with few values takes any of them; another takes a step of random size, which ends
    at the edge of the cube.
    """
    moved = rng.random(space.dim) < num_expected / space.dim
    moved[rng.integers(space.dim)] = True
    is_small = np.array([parameter.num_values <= FEW_VALUES for parameter in space.parameters])
    stepped = np.clip(point + rng.normal(0.0, rng.choice(STEPS), space.dim), 0.0, 1.0)
    child = np.where(is_small, rng.random(space.dim), stepped)
    return np.where(moved, child, point)
