"""Acquisition functions: how much is promised by measuring a point. Larger is better.

    symbol     meaning                                             shape    unit, sign
    points     candidates in the unit cube                         [q, d]   [0, 1]
    mean, sd   posterior of a loss                                 [q]      standard units
    incumbent  least loss measured so far                          scalar   standard units
    front      losses measured so far                              [f, m]   standard units
    reference  losses of the default configuration                 [m]      standard units
    t          trials measured so far                              scalar
    beta_t     width of the confidence bound                       scalar
    xi         least improvement that counts                       scalar   standard units
    met        probability that every limit is met                 [q]      [0, 1]

Everything is computed on losses in standard units; see `surrogate.Scale` for what they are.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from botorch.utils.multi_objective.box_decompositions.non_dominated import (
    FastNondominatedPartitioning,
)

from scoot_ray.core.space import FloatArray
from searchers.surrogate import Surrogate

Acquisition = Callable[[FloatArray], FloatArray]  # [q, d] -> [q, a], larger is better

XI = 1e-4
LOG_EI = 2  # column of log EI among MACE's three
TINY = 1e-300  # keeps logarithms finite where a product underflows


def exploration(t: int) -> float:
    """Return beta_t = 2 log(t^2 pi^2 / (6 delta)) with delta = 1 / t^2 (design, section 5)."""
    t = max(t, 1)
    return 2.0 * math.log(t**4 * math.pi**2 / 6.0)


def probability_met(limits: Sequence[Surrogate], points: FloatArray) -> FloatArray:
    """Return the probability that every limit is met, shape [q]; limits are independent.

    Each surrogate predicts the ratio of a metric to its bound, which is met when at most 1.
    """
    met = np.ones(len(points))
    for limit in limits:
        mean, sd = limit.predict(points)
        met *= _cdf((limit.scale.apply(np.array(1.0)) - mean) / sd)
    return met


def mace(loss: Surrogate, limits: Sequence[Surrogate], incumbent: float, t: int) -> Acquisition:
    """Build MACE's three functions: UCB, log PI and log EI (Lyu et al. 2018); shape [q, 3].

    UCB is of the negated loss, -(mean - sqrt(beta_t) sd): the root because beta_t bounds the
    squared deviation (Srinivas et al. 2010). Limits multiply PI and EI and are taken from UCB as
    a penalty, -log met, in standard units.
    """
    width = math.sqrt(exploration(t))

    def evaluate(points: FloatArray) -> FloatArray:
        mean, sd = loss.predict(points)
        z = (incumbent - XI - mean) / sd
        log_met = _log(probability_met(limits, points))
        upper = width * sd - mean + log_met
        return np.stack(
            [upper, _log(_cdf(z)) + log_met, _log(_improvement(z, sd)) + log_met], axis=1
        )

    return evaluate


def log_ehvi(
    losses: Sequence[Surrogate],
    limits: Sequence[Surrogate],
    front: FloatArray,
    reference: FloatArray,
) -> Acquisition:
    """Build the logarithm of the expected hypervolume improvement times `met`; shape [q, 1].

    The surrogates are independent, so over the cells [l, u] that the front leaves free the
    expectation is, in negated losses, sum_cells prod_i (psi(l_i) - psi(u_i)) with
    psi(a) = E[max(0, y - a)] (Yang et al. 2019).
    """
    lower, upper = _free_cells(front, reference)

    def evaluate(points: FloatArray) -> FloatArray:
        volume = np.ones((len(points), len(lower)))
        for i, surrogate in enumerate(losses):
            mean, sd = surrogate.predict(points)
            below, above = (_excess(-mean, sd, bound[:, i]) for bound in (lower, upper))
            volume *= np.maximum(below - above, 0.0)
        promised = volume.sum(axis=1) * probability_met(limits, points)
        return _log(promised)[:, None]

    return evaluate


def _free_cells(front: FloatArray, reference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split what the front does not dominate into boxes; two arrays of shape [cells, m]."""
    partitioning = FastNondominatedPartitioning(
        ref_point=torch.from_numpy(-reference), Y=torch.from_numpy(-front)
    )
    lower, upper = partitioning.get_hypercell_bounds().numpy()
    return lower, upper


def _excess(mean: FloatArray, sd: FloatArray, bound: FloatArray) -> FloatArray:
    """Return E[max(0, y - bound)], shape [q, cells], of normal y; 0 at an infinite bound."""
    finite = np.where(np.isfinite(bound), bound, 0.0)
    z = (mean[:, None] - finite[None, :]) / sd[:, None]
    return np.where(np.isfinite(bound)[None, :], _improvement(z, sd[:, None]), 0.0)


def _improvement(z: FloatArray, sd: FloatArray) -> FloatArray:
    """Return E[max(0, sd (z + e))] of standard normal e: sd (phi(z) + z Phi(z))."""
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return np.maximum(sd * (density + z * _cdf(z)), 0.0)


def _cdf(z: FloatArray) -> FloatArray:
    """Return the standard normal distribution function, any shape."""
    return np.asarray(torch.special.ndtr(torch.as_tensor(z)).numpy())


def _log(values: FloatArray) -> FloatArray:
    return np.log(np.maximum(values, TINY))
