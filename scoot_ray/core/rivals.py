"""What a study has found so far, as the bar that the next test of the search must reach."""

from collections.abc import Sequence

from scoot_ray.core.assignment import Role
from scoot_ray.core.bar import Bar
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.pareto import Contender, loss_matrix, measured
from scoot_ray.core.trial import TrialRecord

PEAK = "peak_in_flight"


def bar_to_reach(
    history: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    limits: Sequence[Limit],
    num_finalists: int,
) -> Bar:
    """Return the bar for a test that is handed out now."""
    records = _distinct(measured(history, objectives))
    good = [r for r in records if Contender.measured_once(r).meets(limits)]
    defaults = [r for r in good if r.role is Role.DEFAULT]
    rivals = _undominated(good, objectives, num_finalists)
    peaks = [r.metrics[PEAK] for r in (*rivals, *defaults) if PEAK in r.metrics]
    reference = loss_matrix(defaults, objectives).tolist()
    return Bar(
        num_finalists=num_finalists,
        rivals=tuple(tuple(row) for row in loss_matrix(rivals, objectives).tolist()),
        reference=tuple(reference[0]) if reference else None,
        excess=_excess(records, limits, num_finalists),
        in_flight=max(peaks, default=None),
    )


def _distinct(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Keep the first test of each configuration: a second one is not another finalist."""
    return [r for i, r in enumerate(records) if all(r.config != e.config for e in records[:i])]


def _undominated(
    records: Sequence[TrialRecord], objectives: Sequence[Objective], num: int
) -> list[TrialRecord]:
    """Keep the trials that fewer than `num` others dominate."""
    points = loss_matrix(records, objectives)
    kept = []
    for record, point in zip(records, points, strict=True):
        better = (points <= point).all(axis=1) & (points < point).any(axis=1)
        if better.sum() < num:
            kept.append(record)
    return kept


def _excess(
    records: Sequence[TrialRecord], limits: Sequence[Limit], num_finalists: int
) -> float | None:
    if not limits or len(records) < num_finalists:
        return None
    excesses = sorted(max(0.0, Contender.measured_once(r).excess(limits)) for r in records)
    worst = excesses[num_finalists - 1]
    return worst if worst < float("inf") else None
