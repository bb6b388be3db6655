"""The Pareto front of a study, its hypervolume against the default, and the recommendation.

Losses are objective values with smaller better, shape [n, m] (`core.objective.losses`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.objective import Limit, Objective, losses
from scoot_ray.core.trial import Role, TrialRecord, TrialState

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Recommendation:
    """Name the configuration to use, and the limits that even it does not meet.

    Attributes:
        record: The measured trial that is recommended.
        missed: Limits that it misses; when not empty, no measured configuration meets all.
    """

    record: TrialRecord
    missed: tuple[Limit, ...] = ()


def is_nondominated(points: FloatArray) -> NDArray[np.bool_]:
    """Mark the rows of `points`, shape [n, m], that no other row dominates; shape [n]."""
    no_worse = (points[:, None, :] <= points[None, :, :]).all(axis=2)
    better = (points[:, None, :] < points[None, :, :]).any(axis=2)
    return ~np.asarray((no_worse & better).any(axis=0))


def measured(
    history: Sequence[TrialRecord], objectives: Sequence[Objective]
) -> tuple[TrialRecord, ...]:
    """Keep the complete default and search trials that have every objective's metric."""
    return tuple(
        record
        for record in history
        if record.state is TrialState.COMPLETE
        and record.role in (Role.DEFAULT, Role.SEARCH)
        and not record.is_bound
        and all(o.metric in record.metrics for o in objectives)
    )


def loss_matrix(records: Sequence[TrialRecord], objectives: Sequence[Objective]) -> FloatArray:
    """Stack the losses of `records`, shape [n, m]."""
    rows = [losses(objectives, record.metrics) for record in records]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(objectives))


def pareto_front(
    history: Sequence[TrialRecord], objectives: Sequence[Objective]
) -> tuple[TrialRecord, ...]:
    """List the non-dominated trials, best in the first objective first."""
    records = measured(history, objectives)
    if not records:
        return ()
    points = loss_matrix(records, objectives)
    front = np.flatnonzero(is_nondominated(points))
    return tuple(records[i] for i in sorted(front, key=lambda i: tuple(points[i])))


def reference_point(
    history: Sequence[TrialRecord], objectives: Sequence[Objective]
) -> FloatArray | None:
    """Return the default configuration's losses, shape [m]; None before anything is measured.

    Where the default itself did not complete, the worst value seen in each objective stands in.
    """
    records = measured(history, objectives)
    if not records:
        return None
    points = loss_matrix(records, objectives)
    defaults = [i for i, record in enumerate(records) if record.role is Role.DEFAULT]
    worst: FloatArray = points.max(axis=0)
    return points[defaults[0]] if defaults else worst


def box_volumes(points: FloatArray, reference: FloatArray) -> FloatArray:
    """HV(x) = prod_i max(0, r_i - y_i) of each row against the reference; shape [n].

    This is the paper's rule for choosing the configuration that is reported (section 5).
    """
    volumes: FloatArray = np.maximum(reference - points, 0.0).prod(axis=1)
    return volumes


def recommend(
    history: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    limits: Sequence[Limit] = (),
) -> Recommendation | None:
    """Choose the configuration to use; None if nothing was measured.

    Among the trials that meet every limit, the largest box volume against the default wins. The
    default itself stands when nothing beats it in every objective. When no trial meets the
    limits, the one that misses them by least is returned with the limits that it misses.
    """
    records = measured(history, objectives)
    reference = reference_point(history, objectives)
    if not records or reference is None:
        return None
    good = [r for r in records if all(limit.met_by(r.metrics) for limit in limits)]
    if not good:
        closest = min(records, key=lambda r: max(limit.excess(r.metrics) for limit in limits))
        missed = tuple(limit for limit in limits if not limit.met_by(closest.metrics))
        return Recommendation(closest, missed)
    points = loss_matrix(good, objectives)
    volumes = box_volumes(points, reference)
    gains = ((reference - points) / np.maximum(np.abs(reference), 1e-12)).mean(axis=1)
    order = [(volumes[i], r.role is Role.DEFAULT, gains[i]) for i, r in enumerate(good)]
    return Recommendation(good[max(range(len(good)), key=order.__getitem__)])
