"""The Pareto front of a study, its hypervolume against the default, and the recommendation.

Losses are objective values with smaller better, shape [n, m] (`core.objective.losses`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.assignment import Role
from scoot_ray.core.objective import Limit, Objective, losses
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord

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


@dataclass(frozen=True)
class Contender:
    """What is known of one configuration when configurations are compared.

    Attributes:
        record: The trial that stands for it.
        typical: Metrics that the objectives are judged by.
        worst: Metrics that the limits are judged by.
    """

    record: TrialRecord
    typical: Mapping[str, float]
    worst: Mapping[str, float]

    @classmethod
    def measured_once(cls, record: TrialRecord) -> "Contender":
        """Judge a configuration by one test."""
        return cls(record, record.metrics, record.metrics)

    def meets(self, limits: Sequence[Limit]) -> bool:
        """Tell whether it meets every limit."""
        return all(limit.met_by(self.worst) for limit in limits)

    def excess(self, limits: Sequence[Limit]) -> float:
        """Relative amount by which it misses the limit that it misses most."""
        return max(limit.excess(self.worst) for limit in limits)

    def recommendation(self, limits: Sequence[Limit]) -> Recommendation:
        """Return it as the answer, with the limits that it misses."""
        missed = tuple(limit for limit in limits if not limit.met_by(self.worst))
        return Recommendation(self.record, missed)


def rank(
    contenders: Sequence[Contender],
    reference: FloatArray,
    objectives: Sequence[Objective],
    limits: Sequence[Limit] = (),
) -> list[Contender]:
    """Sort contenders, best first, and leave out those that cannot be recommended.

    Among those that meet every limit, the largest box volume against the default's losses
    `reference`, shape [m], comes first; when none does, the one that misses them by least. Behind
    the default itself nothing is left: what follows does not beat it in every objective, or misses
    the limits by more.
    """
    good = [contender for contender in contenders if contender.meets(limits)]
    if good:
        ranked = _by_volume(good, reference, objectives)
    else:
        ranked = sorted(contenders, key=lambda contender: contender.excess(limits))
    defaults = [i for i, c in enumerate(ranked) if c.record.role is Role.DEFAULT]
    return ranked[: defaults[0] + 1] if defaults else ranked


def _by_volume(
    contenders: Sequence[Contender], reference: FloatArray, objectives: Sequence[Objective]
) -> list[Contender]:
    points = np.array([losses(objectives, contender.typical) for contender in contenders])
    volumes = box_volumes(points, reference)
    gains = ((reference - points) / np.maximum(np.abs(reference), 1e-12)).mean(axis=1)
    merits = [
        (volumes[i], c.record.role is Role.DEFAULT, gains[i]) for i, c in enumerate(contenders)
    ]
    order = sorted(range(len(contenders)), key=merits.__getitem__, reverse=True)
    return [contenders[i] for i in order]


def finalists(
    history: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    limits: Sequence[Limit],
    num: int,
) -> tuple[TrialRecord, ...]:
    """Return the `num` best configurations by the tests of the search, best first.

    The default is one of them only where nothing beats it.
    """
    records = measured(history, objectives)
    reference = reference_point(history, objectives)
    if reference is None:
        return ()
    ranked = rank([Contender.measured_once(r) for r in records], reference, objectives, limits)
    best = [contender.record for contender in ranked]
    ahead = [record for record in best if record.role is not Role.DEFAULT] or best
    distinct = [r for i, r in enumerate(ahead) if all(r.config != e.config for e in ahead[:i])]
    return tuple(distinct[:num])


def recommend(
    history: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    limits: Sequence[Limit] = (),
) -> Recommendation | None:
    """Choose the configuration to use by the tests of the search; None if nothing was measured.

    It is the first of `finalists`: the largest box volume against the default among the trials
    that meet every limit, the default itself when nothing beats it in every objective, and the
    trial that misses the limits by least when none meets them.
    """
    best = finalists(history, objectives, limits, 1)
    return Contender.measured_once(best[0]).recommendation(limits) if best else None
