"""Multi-objective Bayesian optimisation: EHVI against the default, the k best in turn."""

from typing import Any

import numpy as np

from scoot_ray.core.pareto import is_nondominated
from scoot_ray.core.space import FloatArray
from searchers.acquisition import Acquisition, log_ehvi
from searchers.candidates import Region, search
from searchers.observations import Observations
from searchers.sobo import fit_limits
from searchers.surrogate import Surrogate

NUM_RESCORED = 128  # best candidates that are judged again once one of them is chosen


def propose_several(
    data: Observations, region: Region, num: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Propose at most `num` configurations for two or more objectives.

    Each choice is believed before the next one is made, so the k best lie apart. Arguments and
    result are those of `sobo.propose_single`.
    """
    losses = [Surrogate.fit(data.points, column) for column in data.losses.T]
    limits = fit_limits(data)
    elite = data.points[data.meets_limits]
    if len(elite):
        elite = elite[is_nondominated(data.losses[data.meets_limits])]
    candidates = search(region, _acquisition(data, losses, limits, data.pending), list(elite), rng)
    best = np.argsort(-candidates.values[:, 0], kind="stable")[:NUM_RESCORED]
    chosen: list[int] = [int(i) for i in best[:1]]
    while len(chosen) < min(num, len(best)):
        believed = np.concatenate([data.pending, candidates.points[chosen]])
        left = np.setdiff1d(best, chosen)
        values = _acquisition(data, losses, limits, believed)(candidates.points[left])
        chosen.append(int(left[np.argmax(values[:, 0])]))
    return [candidates.configs[i] for i in chosen]


def _acquisition(
    data: Observations,
    losses: list[Surrogate],
    limits: list[Surrogate],
    believed: FloatArray,
) -> Acquisition:
    """Build EHVI with the points in `believed`, shape [p, d], on the front at their means."""
    allowed = data.losses[data.meets_limits]
    scaled = np.stack([s.scale.apply(allowed[:, i]) for i, s in enumerate(losses)], axis=1)
    reference = [float(s.scale.apply(r)) for s, r in zip(losses, data.reference, strict=True)]
    if len(believed):
        means = np.stack([s.predict(believed)[0] for s in losses], axis=1)
        scaled = np.concatenate([scaled, means])
    updated = [surrogate.believing(believed) for surrogate in losses]
    return log_ehvi(updated, limits, scaled, np.array(reference))
