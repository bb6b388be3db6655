"""Acquisition functions: how much is promised by measuring a point. Larger is better.

symbol     meaning                                             shape    unit, sign
points     candidates in the unit cube                         [q, d]   [0, 1]
mean, sd   posterior of a loss                                 [q]      standard units
incumbent  least loss measured so far                          scalar   the loss's own
front      losses measured so far                              [f, m]   the losses' own
reference  losses of the default configuration                 [m]      the losses' own
t          trials measured so far                              scalar
beta_t     width of the confidence bound                       scalar
xi         least improvement that counts                       scalar   standard units
met        probability that every limit is met                 [q]      [0, 1]
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from botorch.utils.multi_objective.box_decompositions.non_dominated import (
    FastNondominatedPartitioning,
)
from scipy.special import log_ndtr, ndtr

from scoot_ray.core.space import FloatArray
from searchers.scale import Scale
from searchers.surrogate import Surrogate

Acquisition = Callable[[FloatArray], FloatArray]  # [q, d] -> [q, a], larger is better

XI = 1e-4
TINY = 1e-300  # keeps logarithms finite where a product underflows


def exploration(t: int) -> float:
    """Return beta_t = 2 log(t^2 pi^2 / (6 delta)) with delta = 1 / t^2 (design, section 5)."""
    t = max(t, 1)
    return 2.0 * math.log(t**4 * math.pi**2 / 6.0)


def ucb(loss: Surrogate, t: int) -> Acquisition:
    """Build the upper confidence bound of the negated loss, -mean + beta_t sd; shape [q, 1]."""
    beta = exploration(t)

    def evaluate(points: FloatArray) -> FloatArray:
        mean, sd = loss.predict(points)
        return np.asarray(beta * sd - mean)[:, None]

    return evaluate


def mace(loss: Surrogate, incumbent: float, t: int) -> Acquisition:
    """Build MACE's three functions: UCB, log PI and log EI (Lyu et al. 2018); shape [q, 3].

    Logarithms keep the Pareto front as it is and tell tiny values apart.
    """
    bound = ucb(loss, t)
    best = float(loss.scale.apply(np.array(incumbent)))

    def evaluate(points: FloatArray) -> FloatArray:
        mean, sd = loss.predict(points)
        z = (best - XI - mean) / sd
        return np.stack([bound(points)[:, 0], log_ndtr(z), np.log(sd) + log_excess(z)], axis=1)

    return evaluate


def log_ei(loss: Surrogate, incumbent: float) -> Acquisition:
    """Build the logarithm of the expected improvement in standard units; shape [q, 1]."""
    best = float(loss.scale.apply(np.array(incumbent)))

    def evaluate(points: FloatArray) -> FloatArray:
        mean, sd = loss.predict(points)
        value: FloatArray = np.log(sd) + log_excess((best - mean) / sd)
        return value[:, None]

    return evaluate


def log_ehvi(losses: Sequence[Surrogate], front: FloatArray, reference: FloatArray) -> Acquisition:
    """Build the logarithm of the expected hypervolume improvement; shape [q, 1].

    The surrogates are independent, so over the cells [l, u] that the front leaves free the
    expectation is, in negated losses, sum_cells prod_i (psi(l_i) - psi(u_i)) with
    psi(a) = E[max(0, y - a)] (Yang et al. 2019). The volume is one of losses, whatever the scales
    on which they are modelled.
    """
    units = np.array([surrogate.scale.unit for surrogate in losses])
    lower, upper = _free_cells(front / units, reference / units)

    def evaluate(points: FloatArray) -> FloatArray:
        volume = np.ones((len(points), len(lower)))
        for i, surrogate in enumerate(losses):
            mean, sd = surrogate.predict(points)
            below, above = (_excess(surrogate.scale, mean, sd, b[:, i]) for b in (lower, upper))
            volume *= np.maximum(below - above, 0.0)
        return np.asarray(np.log(np.maximum(volume.sum(axis=1), TINY)))[:, None]

    return evaluate


def probability_met(limits: Sequence[Surrogate], points: FloatArray) -> FloatArray:
    """Return the probability that every limit is met, shape [q]; limits are independent.

    Each surrogate predicts the ratio of a metric to its bound, which is met when at most 1.
    """
    met = np.ones(len(points))
    for limit in limits:
        mean, sd = limit.predict(points)
        met *= ndtr((limit.scale.apply(np.array(1.0)) - mean) / sd)
    return met


def log_excess(z: FloatArray) -> FloatArray:
    """Return log E[max(0, z + e)] of standard normal e, any shape (Ament et al. 2023)."""
    near = np.maximum(z, -25.0)
    density = np.exp(-0.5 * near**2) / math.sqrt(2.0 * math.pi)
    value = np.log(np.maximum(density + near * ndtr(near), TINY))
    # Far below the incumbent the difference cancels; its asymptote is phi(z) / z^2.
    far = -0.5 * z**2 - 0.5 * math.log(2.0 * math.pi) - 2.0 * np.log(np.maximum(-z, 1.0))
    return np.where(z > -8.0, value, far)


def _free_cells(front: FloatArray, reference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split what the front does not dominate into boxes; two arrays of shape [cells, m]."""
    partitioning = FastNondominatedPartitioning(
        ref_point=torch.from_numpy(-reference), Y=torch.from_numpy(-front)
    )
    lower, upper = partitioning.get_hypercell_bounds().numpy()
    return lower, upper


def _excess(scale: Scale, mean: FloatArray, sd: FloatArray, bound: FloatArray) -> FloatArray:
    """Return E[max(0, y - bound)], shape [q, cells], of a negated loss; 0 at an infinite bound."""
    finite = np.where(np.isfinite(bound), bound, 0.0)
    value = scale.shortfall(mean[:, None], sd[:, None], -finite[None, :])
    return np.where(np.isfinite(bound)[None, :], value, 0.0)
