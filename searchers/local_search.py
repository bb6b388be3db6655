"""Maximise one acquisition function over the mixed space: Sobol points, then hill climbing.

symbol   meaning                                          shape    sign
points   candidates in the unit cube, at cell centres     [q, d]   [0, 1]
values   acquisition function                             [q]      larger is better
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoot_ray.core.space import FloatArray, SearchSpace
from searchers.acquisition import Acquisition
from searchers.initial_design import draw_some
from searchers.mutation import mutate
from searchers.observations import Key, encode_all, key_of

NUM_GLOBAL = 128  # Sobol points
NUM_NEIGHBOURS = 96  # of the elite, before the climb begins
NUM_ROUNDS, NUM_CLIMBERS, NUM_STEPS = 5, 6, 6
MAX_MUTATIONS = 20  # attempts at a valid neighbour


@dataclass
class Pool:
    """Collect distinct valid configurations that are not taken, with their values."""

    space: SearchSpace
    acquisition: Acquisition
    taken: AbstractSet[Key]

    def __post_init__(self) -> None:
        self._seen: set[Key] = set(self.taken)
        self.configs: list[dict[str, Any]] = []
        self.points: FloatArray = np.empty((0, self.space.dim))
        self.values: FloatArray = np.empty(0)

    def add(self, configs: Sequence[dict[str, Any]]) -> None:
        """Judge the new ones among valid configurations."""
        new = []
        for config in configs:
            key = key_of(self.space, config)
            if key not in self._seen:
                self._seen.add(key)
                new.append(config)
        if new:
            points = encode_all(self.space, new)
            self.configs += new
            self.points = np.concatenate([self.points, points])
            self.values = np.concatenate([self.values, self.acquisition(points)[:, 0]])

    def best(self, num: int) -> FloatArray:
        """Return the points of the `num` largest values, shape [at most num, d]."""
        return self.points[np.argsort(-self.values, kind="stable")[:num]]


def maximise(
    space: SearchSpace,
    acquisition: Acquisition,
    elite: FloatArray,
    taken: AbstractSet[Key],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Return the configuration of the largest value that was come by; None if there is none.

    Args:
        space: Its known constraints always hold.
        acquisition: What to maximise, one column.
        elite: Good measured points, shape [e, d], whose neighbours are tried first.
        taken: Configurations that do not come into question.
        rng: Source of randomness.
    """
    pool = Pool(space, acquisition, taken)
    pool.add(draw_some(space, NUM_GLOBAL, taken, int(rng.integers(2**31))))
    if len(elite):
        pool.add(_neighbours(space, elite, NUM_NEIGHBOURS, rng))
    for _ in range(NUM_ROUNDS):
        if pool.configs:
            pool.add(_neighbours(space, pool.best(NUM_CLIMBERS), NUM_CLIMBERS * NUM_STEPS, rng))
    return pool.configs[int(np.argmax(pool.values))] if pool.configs else None


def _neighbours(
    space: SearchSpace, points: FloatArray, num: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Mutate the points in turn, at most `num` valid neighbours; each has so many attempts."""
    found: list[dict[str, Any]] = []
    parents = points[np.arange(num) % len(points)]
    for _ in range(MAX_MUTATIONS):
        children = [space.decode(point) for point in mutate(space, parents, rng, 1.5)]
        is_valid = np.array([space.is_valid(child) for child in children])
        found += [child for child, valid in zip(children, is_valid, strict=True) if valid]
        parents = parents[~is_valid]
        if len(parents) == 0:
            break
    return found
