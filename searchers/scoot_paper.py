"""SCOOT as the paper has it (WWW 2025, arXiv 2408.04323), element by element.

    element                                                     where
    default, then as many Sobol points as parameters            `initial_design`
    GP, Matern 3/2 ARD, Kumaraswamy warping, noise by ML        `fit_gp` below
    UCB with beta_t, PI, EI with xi; k at random of the front   `sobo`, `acquisition.mace`
    EHVI against the default's measurement; the k best          `mobo`, `acquisition.log_ehvi`
    NSGA-II over the mixed space                                `candidates`
    POF by random-forest regression                             `feasibility`
    Delta, Algorithm 1                                          `threshold`
    Sobol points make up the number                             `initial_design.make_up`

The two versions of the paper differ in what they compare with, HEBO or vanilla Bayesian
optimisation: here it is the latter, `vanilla_bo`. That the published version replays the heaviest
half of a trace is a matter of `traces`. The method is the published version's.

Pending configurations are not suggested again, and that is all: the paper's batches are over
before the next one is asked for.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.space import FloatArray, SearchSpace
from searchers.candidates import Region
from searchers.designed_search import DesignedSearch
from searchers.feasibility import Feasibility
from searchers.gaussian_process import GaussianProcess, LogNormal, Priors
from searchers.mobo import propose_several
from searchers.observations import Observations
from searchers.scale import Linear
from searchers.sobo import propose_single
from searchers.surrogate import Surrogate, known
from searchers.threshold import fold_threshold

MAXIMUM_LIKELIHOOD = Priors(
    length=LogNormal(math.log(0.5)),
    shape=LogNormal(0.0),
    signal=LogNormal(0.0),
    noise=LogNormal(math.log(1e-2)),
)


def paper_search(
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    seed: int,
    limits: Sequence[Limit] = (),
    batch_size: int = 1,
) -> DesignedSearch:
    """Build the paper's optimiser; limits change nothing, since the paper knows none.

    `batch_size` is k, after how many trials Delta is updated: that of a study in batches.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise StudyError(
            f"search.options.batch_size: expected a whole number of at least 1, got {batch_size!r}."
        )
    method = partial(propose, batch_size=batch_size)
    return DesignedSearch(space, objectives, limits, seed, space.dim, method)


def propose(
    data: Observations, num: int, rng: np.random.Generator, batch_size: int = 1
) -> list[dict[str, Any]]:
    """Propose at most `num` configurations; none while nothing has been measured."""
    region = _learn_region(data, rng, batch_size)
    if not data.is_measured:
        return []
    surrogates = [fit_gp(data.points, column) for column in data.losses.T]
    if len(surrogates) == 1:
        return propose_single(data, surrogates[0], region, num, rng)
    return propose_several(data, surrogates, region, num, rng)


def fit_gp(points: FloatArray, values: FloatArray) -> Surrogate:
    """Fit the paper's Gaussian process by maximum likelihood."""
    points, values = known(points, values)
    scale = Linear.of(values)
    return Surrogate(GaussianProcess.fit(points, scale.apply(values), MAXIMUM_LIKELIHOOD), scale)


def _learn_region(data: Observations, rng: np.random.Generator, batch_size: int) -> Region:
    seed = int(rng.integers(2**31))
    feasibility = Feasibility.fit(data.points, data.completed, seed)
    delta = fold_threshold(data.completed.tolist(), batch_size).delta
    return Region(data.space, data.taken, feasibility, delta)
