"""SCOOT as we have it; how it differs from the paper, and to what effect: `docs/effects.md`.

One acquisition function, in logarithms: what the point promises (EI, or EHVI against the default)
times the probability that it meets the limits times a power of the probability that it runs, with
a steep penalty below the paper's threshold Delta on the latter.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.pareto import is_nondominated
from scoot_ray.core.space import FloatArray, SearchSpace
from searchers.acquisition import Acquisition, log_ehvi, log_ei, probability_met
from searchers.designed_search import DesignedSearch
from searchers.gaussian_process import GaussianProcess, LogNormal, Priors
from searchers.local_search import maximise
from searchers.log_space import log_space
from searchers.observations import Observations
from searchers.rules_of_thumb import rules_of_thumb
from searchers.scale import Linear, Logarithmic, Scale
from searchers.smooth_feasibility import SmoothFeasibility
from searchers.surrogate import Surrogate, known
from searchers.threshold import fold_threshold

CAUTION, MOST_CAUTION = 8.0, 32.0
"""Power of the probability of feasibility: a crash costs a trial and teaches no objective."""
TRIALS_TO_DOUBLE = 10
"""Early on a crash shows where the border lies; the later it comes, the less is left to learn."""
LEAST = 1e-3  # probability below which nothing is told apart
WORST = 1.0  # standard units; how much worse a bad loss is does not matter
NUM_ELITE = 4
BELOW = 200.0
"""Slope of the penalty below Delta: where nothing safe promises anything, risk must not win."""


def scoot_search(
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    seed: int,
    limits: Sequence[Limit] = (),
) -> DesignedSearch:
    """Build our optimiser: rules of thumb, then half as many Sobol points as the paper's."""
    num_sobol, advice = math.ceil(space.dim / 2), rules_of_thumb(space)
    return DesignedSearch(log_space(space), objectives, limits, seed, num_sobol, propose, advice)


def propose(data: Observations, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Propose at most `num` configurations, each believed before the next is chosen."""
    feasibility = SmoothFeasibility.fit(data.points, data.completed, int(rng.integers(2**31)))
    chosen: list[dict[str, Any]] = []
    while len(chosen) < num:
        now = data.awaiting(chosen)
        best = maximise(now.space, _acquisition(now, feasibility), _elite(now), now.taken, rng)
        if best is None:
            break
        chosen.append(best)
    return chosen


def fit_gp(points: FloatArray, values: FloatArray, worst: float = math.inf) -> Surrogate:
    """Fit a Gaussian process that suits many dimensions, few points and heavy tails.

    Length scales grow with the root of the dimension (Hvarfner et al. 2024). Values of one
    sign, times and rates, are modelled in logarithms, because parameters act in per cent.
    What is worse than `worst`, in standard units, is cut off, so that the model describes what is
    good.
    """
    points, values = known(points, values)
    scale: Scale = (Logarithmic if Logarithmic.suits(values) else Linear).of(values)
    targets = np.minimum(scale.apply(values), worst)
    priors = Priors(
        length=LogNormal(0.5 * math.log(points.shape[1]), 1.2),
        shape=None,
        signal=LogNormal(0.0, 0.5),
        noise=LogNormal(-4.0, 1.0),
    )
    return Surrogate(GaussianProcess.fit(points, targets, priors), scale)


def _acquisition(data: Observations, feasibility: SmoothFeasibility) -> Acquisition:
    promise = _promise(data)
    # Not cut off: the bound of a limit may lie among the worst that was measured.
    limits = [fit_gp(data.points, column) for column in data.ratios.T if np.isfinite(column).any()]
    delta = fold_threshold(data.completed.tolist()).delta
    caution = min(CAUTION * (1.0 + len(data.points) / TRIALS_TO_DOUBLE), MOST_CAUTION)

    def evaluate(points: FloatArray) -> FloatArray:
        met = np.maximum(probability_met(limits, points), 1e-300)
        pof = feasibility.probability(points)
        safety = caution * np.log(np.maximum(pof, LEAST)) - BELOW * np.maximum(delta - pof, 0.0)
        return promise(points) + (np.log(met) + safety)[:, None]

    return evaluate


def _promise(data: Observations) -> Acquisition:
    """Build log EI or log EHVI, with pending configurations believed at the surrogates' means."""
    if not data.is_measured:  # with crashes only, the forest alone says where to go
        return lambda points: np.zeros((len(points), 1))
    losses = [
        fit_gp(data.points, column, WORST).believing(data.pending) for column in data.losses.T
    ]
    allowed = data.losses[data.meets_limits]
    if len(losses) > 1:
        return log_ehvi(losses, allowed, data.reference)
    # While nothing meets the limits any loss improves, so that the limits alone decide.
    return log_ei(losses[0], float(allowed.min() if len(allowed) else np.nanmax(data.losses)))


def _elite(data: Observations) -> FloatArray:
    """Return the points whose neighbourhood is searched, shape [e, d]: the front, or the best."""
    allowed, points = data.losses[data.meets_limits], data.points[data.meets_limits]
    if allowed.shape[1] == 1 or len(points) == 0:
        return points[np.argsort(allowed[:, 0], kind="stable")[:NUM_ELITE]]
    return points[is_nondominated(allowed)]
