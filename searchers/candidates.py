"""Candidates: NSGA-II over the mixed space, under known and hidden constraints (section 5).

    symbol    meaning                                         shape    sign
    points    candidates in the unit cube, at cell centres    [q, d]   [0, 1]
    values    acquisition functions                           [q, a]   larger is better
    POF       probability of feasibility                      [q]      larger is safer
    Delta     least POF of a suggestion                       scalar

The solver moves in the unit cube; every point is decoded before it is judged, so integers, choices
and booleans are seen by the surrogate exactly as they would be measured.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.config import Config as PymooConfig
from pymoo.core.evaluator import Evaluator
from pymoo.core.problem import Problem
from pymoo.operators.mutation.pm import PM
from pymoo.problems.static import StaticProblem

from scoot_ray.core.pareto import is_nondominated
from scoot_ray.core.space import FloatArray, SearchSpace
from searchers.acquisition import Acquisition
from searchers.feasibility import EVERYWHERE, Feasibility
from searchers.initial_design import draw_some
from searchers.observations import Key, encode_all, key_of

POPULATION = 64
NUM_GENERATIONS = 20  # keeps a suggestion under a second on one core

PymooConfig.warnings["not_compiled"] = False  # it prints to stdout; pure Python is fast enough

Seen = dict[Key, tuple[dict[str, Any], FloatArray]]


@dataclass(frozen=True)
class Region:
    """Say where a suggestion may lie: known constraints hold, POF(x) >= Delta, not yet taken."""

    space: SearchSpace
    taken: AbstractSet[Key]
    feasibility: Feasibility = EVERYWHERE
    delta: float = 0.0


@dataclass(frozen=True)
class Candidates:
    """Hold configurations of a region with their acquisition values, shape [q, a]."""

    configs: tuple[dict[str, Any], ...]
    values: FloatArray

    def __len__(self) -> int:
        return len(self.configs)

    def draw(self, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        """Draw at random from the Pareto front of the values, then from the one behind it."""
        drawn: list[int] = []
        for front in self.fronts():
            drawn += [int(i) for i in rng.permutation(front)]
            if len(drawn) >= num:
                break
        return [self.configs[i] for i in drawn[:num]]

    def best(self, num: int) -> list[dict[str, Any]]:
        """List those with the largest first value."""
        order = np.argsort(-self.values[:, 0], kind="stable")
        return [self.configs[i] for i in order[:num]]

    def fronts(self) -> Iterator[NDArray[np.intp]]:
        """Yield the indices of the Pareto front of the values, then of the rest, and so on."""
        left = np.arange(len(self))
        while len(left):
            on_front = is_nondominated(-self.values[left])
            yield left[on_front]
            left = left[~on_front]


def search(region: Region, acquisition: Acquisition, rng: np.random.Generator) -> Candidates:
    """Maximise an acquisition function over a region, starting from Sobol points.

    Args:
        region: Where candidates may lie.
        acquisition: What to maximise; several columns give a Pareto front.
        rng: Source of randomness.

    Returns:
        Every distinct candidate in the region that the solver came by; it may be empty.
    """
    space = region.space
    num_values = acquisition(encode_all(space, [space.default])).shape[1]
    problem = Problem(n_var=space.dim, n_obj=num_values, n_ieq_constr=2, xl=0.0, xu=1.0)
    # A wide mutation (small eta): a narrow one never leaves the cell of a boolean.
    solver = NSGA2(pop_size=POPULATION, sampling=_start(space, rng), mutation=PM(eta=5))
    seed = int(rng.integers(2**31))
    solver.setup(problem, termination=("n_gen", NUM_GENERATIONS), seed=seed, verbose=False)
    seen: Seen = {}
    while solver.has_next():
        population = solver.ask()
        values, excess = _judge(region, acquisition, population.get("X"), seen)
        static = StaticProblem(problem, F=-values, G=excess)
        Evaluator().eval(static, population)
        solver.tell(infills=population)
    values = np.array([v for _, v in seen.values()], dtype=np.float64).reshape(-1, num_values)
    return Candidates(tuple(config for config, _ in seen.values()), values)


def _start(space: SearchSpace, rng: np.random.Generator) -> FloatArray:
    """Gather valid Sobol points, shape [POPULATION, d], and random ones where they are too few."""
    configs = draw_some(space, POPULATION, frozenset(), int(rng.integers(2**31)))
    points = encode_all(space, configs)
    return np.concatenate([points, rng.random((POPULATION - len(points), space.dim))])


def _judge(
    region: Region, acquisition: Acquisition, raw: FloatArray, seen: Seen
) -> tuple[FloatArray, FloatArray]:
    """Return values, shape [q, a], and constraint excesses, shape [q, 2]; remember what is good."""
    configs = [region.space.decode(point) for point in raw]
    points = encode_all(region.space, configs)
    values = acquisition(points)
    broken = np.array([len(region.space.violated(config)) for config in configs], dtype=np.float64)
    risk = region.delta - region.feasibility.probability(points)
    for i in np.flatnonzero((broken == 0) & (risk <= 0)):
        key = key_of(region.space, configs[i])
        if key not in region.taken:
            seen[key] = (configs[i], values[i])
    return values, np.stack([broken, risk], axis=1)
