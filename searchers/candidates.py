"""Candidates: NSGA-II over the mixed space, under known and hidden constraints.

    symbol    meaning                                         shape    sign
    points    candidates in the unit cube, at cell centres    [q, d]   [0, 1]
    values    acquisition functions                           [q, a]   larger is better
    POF       probability of feasibility                      [q]      larger is safer
    Delta     least POF of a suggestion                       scalar

The solver moves in the unit cube; every point is decoded before it is judged, so integers, choices
and booleans are seen by the surrogate exactly as they would be measured.
"""

from collections.abc import Iterator, Sequence
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
from searchers.feasibility import Feasibility
from searchers.initial_design import draw_valid, sobol_stream
from searchers.observations import Key, Observations, encode_all, key_of
from searchers.threshold import fold_threshold

POPULATION = 64
NUM_GENERATIONS = 20  # keeps a suggestion under a second on one core
NUM_MAKE_UP = 32  # Sobol points from which each made-up suggestion is chosen

PymooConfig.warnings["not_compiled"] = False  # it prints to stdout; pure Python is fast enough


@dataclass(frozen=True)
class Region:
    """Say where a suggestion may lie: known constraints hold, POF(x) >= Delta, not yet taken."""

    space: SearchSpace
    feasibility: Feasibility
    delta: float
    taken: AbstractSet[Key]

    @classmethod
    def learn(cls, data: Observations, rng: np.random.Generator) -> "Region":
        """Learn the hidden constraints from what completed and what did not."""
        seed = int(rng.integers(2**31))
        return cls(
            data.space,
            Feasibility.fit(data.points, data.completed, seed),
            fold_threshold(bool(ok) for ok in data.completed).delta,
            data.taken,
        )

    def without(self, configs: Sequence[dict[str, Any]]) -> "Region":
        """Return the region with `configs` taken as well."""
        keys = {key_of(self.space, config) for config in configs}
        return Region(self.space, self.feasibility, self.delta, self.taken | keys)


@dataclass(frozen=True)
class Candidates:
    """Hold configurations of a region with their acquisition values, shape [q, a]."""

    configs: tuple[dict[str, Any], ...]
    points: FloatArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.configs)

    def fronts(self) -> Iterator[NDArray[np.intp]]:
        """Yield the indices of the Pareto front of the values, then of the rest, and so on."""
        left = np.arange(len(self))
        while len(left):
            on_front = is_nondominated(-self.values[left])
            yield left[on_front]
            left = left[~on_front]


def search(
    region: Region,
    acquisition: Acquisition,
    elite: Sequence[FloatArray],
    rng: np.random.Generator,
) -> Candidates:
    """Maximise an acquisition function over a region.

    Args:
        region: Where candidates may lie.
        acquisition: What to maximise; several columns give a Pareto front.
        elite: Good measured points, each of shape [d], from whose neighbourhood the search starts
            as well as from Sobol points.
        rng: Source of randomness.

    Returns:
        Every distinct candidate in the region that the solver came by; it may be empty.
    """
    seed = int(rng.integers(2**31))
    solver = NSGA2(
        pop_size=POPULATION,
        sampling=_start(region.space, elite, rng),
        # A wide mutation (small eta): a narrow one never leaves the cell of a boolean.
        mutation=PM(eta=5),
    )
    num_values = acquisition(encode_all(region.space, [region.space.default])).shape[1]
    problem = Problem(n_var=region.space.dim, n_obj=num_values, n_ieq_constr=2, xl=0.0, xu=1.0)
    solver.setup(problem, termination=("n_gen", NUM_GENERATIONS), seed=seed, verbose=False)
    seen: dict[Key, tuple[dict[str, Any], FloatArray, FloatArray]] = {}
    while solver.has_next():
        population = solver.ask()
        values, excess = _judge(region, acquisition, population.get("X"), seen)
        static = StaticProblem(problem, F=-values, G=excess)
        Evaluator().eval(static, population)
        solver.tell(infills=population)
    return _collect(region.space, num_values, seen)


def make_up(region: Region, num: int, seed: int) -> list[dict[str, Any]]:
    """List `num` Sobol configurations that satisfy the known constraints, the safest first.

    For when too few candidates remain under the constraints. Configurations repeat only when the
    space holds no other.
    """
    stream = sobol_stream(region.space.dim, seed)
    configs = draw_valid(region.space, stream, NUM_MAKE_UP * num, region.taken)
    if len(configs) < num:
        again = draw_valid(region.space, sobol_stream(region.space.dim, seed), num, frozenset())
        again = again or [dict(region.space.default)]
        configs += [dict(again[i % len(again)]) for i in range(num - len(configs))]
    pof = region.feasibility.probability(encode_all(region.space, configs))
    # Beyond Delta safety counts no more: the first of the Sobol sequence spread best.
    order = np.argsort(-np.minimum(pof, region.delta), kind="stable")
    return [configs[i] for i in order[:num]]


def _start(space: SearchSpace, elite: Sequence[FloatArray], rng: np.random.Generator) -> FloatArray:
    """Gather Sobol points and neighbours of the elite, shape [POPULATION, d]."""
    stream = sobol_stream(space.dim, int(rng.integers(2**31)))
    num_local = POPULATION // 2 if elite else 0
    configs = draw_valid(space, stream, POPULATION - num_local, frozenset())
    parents = [elite[i % len(elite)] for i in range(num_local)]
    local = [_mutate(parent, rng) for parent in parents]
    points = [*encode_all(space, configs), *local]
    missing = POPULATION - len(points)
    return np.array([*points, *rng.random((missing, space.dim))])


def _mutate(point: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Move some coordinates a little and, now and then, one anywhere."""
    dim = len(point)
    moved = rng.random(dim) < max(0.3, 1.0 / dim)
    steps = np.where(moved, rng.normal(0.0, 0.1, dim), 0.0)
    child = np.clip(point + steps, 0.0, 1.0)
    anywhere = rng.random(dim) < 1.0 / dim
    return np.where(anywhere, rng.random(dim), child)


def _judge(
    region: Region,
    acquisition: Acquisition,
    raw: FloatArray,
    seen: dict[Key, tuple[dict[str, Any], FloatArray, FloatArray]],
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
            seen[key] = (configs[i], points[i], values[i])
    return values, np.stack([broken, risk], axis=1)


def _collect(
    space: SearchSpace,
    num_values: int,
    seen: dict[Key, tuple[dict[str, Any], FloatArray, FloatArray]],
) -> Candidates:
    return Candidates(
        tuple(config for config, _, _ in seen.values()),
        np.array([p for _, p, _ in seen.values()], dtype=np.float64).reshape(-1, space.dim),
        np.array([v for _, _, v in seen.values()], dtype=np.float64).reshape(-1, num_values),
    )
