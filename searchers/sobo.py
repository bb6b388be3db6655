"""Single-objective Bayesian optimisation: MACE, k suggestions from its Pareto front."""

from typing import Any

import numpy as np

from searchers.acquisition import LOG_EI, mace
from searchers.candidates import Candidates, Region, search
from searchers.observations import Observations
from searchers.surrogate import Surrogate

NUM_ELITE = 4


def propose_single(
    data: Observations, region: Region, num: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Propose at most `num` configurations for one objective.

    Args:
        data: What was measured, at least one loss among it.
        region: Where suggestions may lie.
        num: How many to propose.
        rng: Source of randomness.

    Returns:
        Fewer than `num` only when the region holds fewer candidates.
    """
    losses = data.losses[:, 0]
    loss = Surrogate.fit(data.points, losses).believing(data.pending)
    limits = fit_limits(data)
    allowed = losses[data.meets_limits]
    # While nothing meets the limits any loss improves, so that the limits alone decide.
    best = np.min(allowed) if len(allowed) else np.nanmax(losses)
    incumbent = float(loss.scale.apply(np.array(best)))
    acquisition = mace(loss, limits, incumbent, int(np.isfinite(losses).sum()))
    ranked = np.argsort(np.where(data.meets_limits, losses, np.inf))
    elite = [data.points[i] for i in ranked[: min(NUM_ELITE, len(allowed))]]
    candidates = search(region, acquisition, elite, rng)
    return [candidates.configs[i] for i in _pick(candidates, num, rng)]


def _pick(candidates: Candidates, num: int, rng: np.random.Generator) -> list[int]:
    """Take the best log EI of the front, then draw from the front, then from the one behind it."""
    # The paper draws the first at random as well. With beta_t as it is, much of the front is pure
    # exploration, and thirty observations are too few to spend most of them so.
    chosen: list[int] = []
    for front in candidates.fronts():
        drawn = rng.permutation(front)
        if not chosen:
            drawn = drawn[np.argsort(drawn != front[candidates.values[front, LOG_EI].argmax()])]
        chosen += [int(i) for i in drawn[: num - len(chosen)]]
        if len(chosen) == num:
            break
    return chosen


def fit_limits(data: Observations) -> list[Surrogate]:
    """Fit a surrogate to the ratio of each limit's metric to its bound, pending ones believed."""
    return [
        Surrogate.fit(data.points, ratios).believing(data.pending)
        for ratios in data.ratios.T
        if np.isfinite(ratios).any()
    ]
