"""A mixed-variable genetic algorithm, a baseline of the paper; NSGA-II for several objectives.

The population is a fold over the history: after every generation of ten the ten best of it and of
the population before survive, by rank and crowding (Deb et al. 2002), which for one objective is
by loss. A crash counts as the worst loss measured. A child has two parents by binary tournament,
each gene of either, mutated; children that break a known constraint are not born.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import SearchSpace
from searchers.designed_search import DesignedSearch
from searchers.mutation import mutate
from searchers.observations import Observations, key_of
from searchers.penalty import penalised

POPULATION = 10
NUM_MUTATED = 1.0  # genes of a child, on average
MAX_BIRTHS = 1000  # attempts at valid new children before Sobol points take their place


def genetic_search(
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    seed: int,
    limits: Sequence[Limit] = (),
) -> DesignedSearch:
    """Build the baseline; limits change nothing."""
    # The default is of the first generation, too.
    return DesignedSearch(space, objectives, limits, seed, POPULATION - 1, propose)


def propose(data: Observations, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Breed at most `num` configurations; none while nothing has been measured."""
    if not data.is_measured:
        return []
    space, parents, taken = data.space, evolve(data, rng), set(data.taken)
    children: list[dict[str, Any]] = []
    for _ in range(MAX_BIRTHS):
        if len(children) == num:
            break
        mother, father = (_tournament(parents, rng).X for _ in range(2))
        genes = np.where(rng.random(space.dim) < 0.5, mother, father)
        child = space.decode(mutate(space, genes[None], rng, NUM_MUTATED)[0])
        key = key_of(space, child)
        if key not in taken and space.is_valid(child):
            children.append(child)
            taken.add(key)
    return children


def evolve(data: Observations, rng: np.random.Generator) -> Population:
    """Fold the history, generation by generation, into the population that breeds next."""
    losses = penalised(data)
    losses = np.where(np.isnan(losses), np.nanmax(losses, axis=0), losses)
    everyone = Population.new(X=data.points, F=losses)
    problem = Problem(n_var=data.space.dim, n_obj=losses.shape[1])
    num_born = max(POPULATION, len(everyone) - len(everyone) % POPULATION)
    population = Population()
    for born in range(0, min(num_born, len(everyone)), POPULATION):
        population = RankAndCrowding().do(
            problem,
            Population.merge(population, everyone[born : born + POPULATION]),
            n_survive=POPULATION,
            random_state=rng,
        )
    return population


def _tournament(population: Population, rng: np.random.Generator) -> Any:
    """Return the better of two drawn at random: of lower rank, then in the sparser place."""
    pair = [population[rng.integers(len(population))] for _ in range(2)]
    return min(pair, key=lambda one: (one.get("rank"), -one.get("crowding")))
