"""The figures of trials: what was reached, against what, and how fast."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import stats

from scoot_ray.core.assignment import Role
from scoot_ray.core.confirmation import Repeats
from scoot_ray.core.noise import CONFIDENCE
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import box_volumes, loss_matrix, measured, reference_point
from scoot_ray.core.result import Result
from scoot_ray.core.trial import TrialRecord
from scoot_ray.report.drawing import Drawing, make_axes, styled
from scoot_ray.report.findings import Findings
from scoot_ray.report.marks import (
    BLUE,
    BOUND,
    DEFAULT,
    FRONT,
    MEASURED,
    ORANGE,
    RECOMMENDED,
    Mark,
    describe_point,
    draw_marks,
    label_axis,
)

SEARCHING = (Role.DEFAULT, Role.SEARCH)


@styled
def front_figure(findings: Findings) -> Drawing:
    """Draw the first two objectives of every trial, the front, the default and the choice."""
    result = findings.result
    x, y = result.objectives[0].metric, result.objectives[1].metric
    figure, (axes,) = make_axes(1, height_inches=5.0)
    texts: dict[str, str] = {}

    def draw(mark: Mark, records: Sequence[TrialRecord]) -> None:
        points = []
        for record in records:
            gid = f"front-{record.number}"
            texts[gid] = describe_point(record, result)
            points.append((record.metrics[x], record.metrics[y], gid))
        draw_marks(axes, mark, points)

    trials = measured(result.trials, result.objectives)
    bounds = [r for r in result.trials if r.is_bound and x in r.metrics and y in r.metrics]
    front = [(r.metrics[x], r.metrics[y]) for r in result.front]
    axes.plot(*zip(*front, strict=True), color=BLUE, linewidth=1, alpha=0.6, label="_nolegend_")
    chosen = result.recommendation.record if result.recommendation else None
    special = [r for r in (result.default, chosen) if r is not None]
    draw(BOUND, bounds)
    draw(MEASURED, [r for r in trials if r not in result.front and r not in special])
    draw(FRONT, [r for r in result.front if r not in special])
    draw(DEFAULT, [r for r in trials if r is result.default and r is not chosen])
    draw(RECOMMENDED, [r for r in trials if r is chosen])
    shown = [*trials, *bounds]
    label_axis(axes, "x", x, [r.metrics[x] for r in shown])
    label_axis(axes, "y", y, [r.metrics[y] for r in shown])
    axes.legend()
    caption = (
        "Every trial of the search; point at a mark, or step through them with the tab key, to "
        "read its configuration. A test that was ended early would have come out at best where "
        "its mark is."
    )
    return Drawing("front", "Pareto front", caption, figure, texts)


@styled
def evidence_figure(findings: Findings) -> Drawing:
    """Draw every test of the default and of the recommendation, with the mean's confidence."""
    result = findings.result
    figure, panels = make_axes(len(result.objectives), height_inches=2.4)
    for axes, objective in zip(panels, result.objectives, strict=True):
        groups = ((DEFAULT, result.default_tests), (RECOMMENDED, result.tests))
        for row, (mark, tests) in enumerate(groups):
            _draw_tests(axes, row, mark, tests, result, objective.metric)
        axes.set_yticks([0, 1], labels=["default", "recommended"])
        axes.set_ylim(1.6, -0.6)
        values = [*result.default_tests.values(objective.metric)]
        label_axis(axes, "x", objective.metric, [*values, *result.tests.values(objective.metric)])
    caption = (
        f"Each small mark is one whole test. The bar is the {CONFIDENCE:.0%} confidence interval "
        "of the mean, from the noise pooled over all repeated configurations; there is none where "
        "nothing was repeated."
    )
    return Drawing("evidence", "Default against recommended", caption, figure)


def _draw_tests(
    axes: Axes, row: int, mark: Mark, tests: Repeats, result: Result, metric: str
) -> None:
    values = tests.values(metric)
    if not values:
        return
    axes.plot(
        values,
        np.full(len(values), row + 0.22),
        linestyle="none",
        marker=mark.shape,
        markersize=5,
        color=mark.colour,
        alpha=0.7,
    )
    mean = float(np.mean(values))
    freedom = result.noise.freedom.get(metric, 0)
    half = 0.0
    if freedom:
        quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))
        half = quantile * result.noise.deviations[metric] * mean / np.sqrt(len(values))
    axes.errorbar(
        [mean],
        [row - 0.12],
        xerr=[[min(half, mean)], [half]] if half else None,  # no metric is below 0
        fmt=mark.shape,
        markersize=9,
        color=mark.colour,
        capsize=4,
    )


@styled
def convergence_figure(findings: Findings) -> Drawing:
    """Draw the best so far over the trials, and a random search's beside it if one was run."""
    result = findings.result
    num_panels = len(result.objectives) + (len(result.objectives) > 1)
    figure, panels = make_axes(num_panels, columns=3, height_inches=3.2)
    runs = [("this study", result.trials, BLUE, "-")]
    if findings.control is not None:
        runs.append(("random control", findings.control.trials, ORANGE, "--"))
    for axes, objective in zip(panels, result.objectives, strict=False):
        shown: list[float] = []
        for label, trials, colour, style in runs:
            records = _in_order(measured(trials, [objective]))
            best = _best_so_far(records, objective)
            shown += best
            _draw_steps(axes, label, records, best, colour, style, _last(trials))
        label_axis(axes, "y", objective.metric, shown)
        axes.set_title(f"best {objective.metric}")
    if len(result.objectives) > 1:
        for label, trials, colour, style in runs:
            records = _in_order(measured(trials, result.objectives))
            volumes = _volumes_so_far(records, result)
            _draw_steps(
                panels[-1], label, records[: len(volumes)], volumes, colour, style, _last(trials)
            )
        panels[-1].set_title("both: gained hypervolume")
    for axes in panels:
        axes.set_xlabel("trial")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    panels[0].legend()
    return Drawing("convergence", "Convergence", _convergence_caption(findings), figure)


def _convergence_caption(findings: Findings) -> str:
    control = findings.control
    gained = (
        "Gained hypervolume: the largest product of one configuration's gains over the default, "
        "relative to the best of the study. "
        if len(findings.result.objectives) > 1
        else ""
    )
    if control is None:
        return f"{gained}No control was run: nothing says how far random search would have come."
    usable = (TrialState.COMPLETE, TrialState.INFEASIBLE)
    num = sum(r.state in usable and r.role in SEARCHING for r in control.trials)
    return (
        f"{gained}The control is a random search over the same space and load, {num} trials with "
        f"the default, measured by: {control.header['measured_by']}."
    )


def _last(trials: Sequence[TrialRecord]) -> int:
    return max((r.number for r in trials if r.role in SEARCHING), default=0)


def _in_order(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    return sorted(records, key=lambda record: record.number)


def _best_so_far(records: Sequence[TrialRecord], objective: Objective) -> list[float]:
    losses = [objective.sign * record.metrics[objective.metric] for record in records]
    return [float(objective.sign * loss) for loss in np.minimum.accumulate(losses)]


def _volumes_so_far(records: Sequence[TrialRecord], result: Result) -> list[float]:
    reference = reference_point(result.trials, result.objectives)
    if reference is None or not records:
        return []
    own = measured(result.trials, result.objectives)
    best = float(box_volumes(loss_matrix(own, result.objectives), reference).max())
    volumes = box_volumes(loss_matrix(records, result.objectives), reference)
    return [float(v) for v in np.maximum.accumulate(volumes) / (best or 1.0)]


def _draw_steps(
    axes: Axes,
    label: str,
    records: Sequence[TrialRecord],
    values: Sequence[float],
    colour: str,
    style: str,
    end: int,
) -> None:
    # The last value holds to the end of the search.
    numbers = [record.number for record in records]
    axes.step(
        [*numbers, max(end, *numbers)] if numbers else [],
        [*values, values[-1]] if values else [],
        where="post",
        color=colour,
        linestyle=style,
        linewidth=2,
        label=label,
    )


@styled
def drift_figure(findings: Findings) -> Drawing:
    """Draw every repeated test over the course of the study, relative to its group's mean."""
    result = findings.result
    figure, panels = make_axes(len(result.objectives), height_inches=2.6)
    groups = ((DEFAULT, result.default_tests), (RECOMMENDED, result.tests))
    for axes, objective in zip(panels, result.objectives, strict=True):
        metric = objective.metric
        for mark, tests in groups:
            values = tests.values(metric)
            if len(values) > 1:
                numbers = [r.number for r in tests.complete if metric in r.metrics]
                mean = float(np.mean(values))
                points = [
                    (n, 100 * (v / mean - 1), None) for n, v in zip(numbers, values, strict=True)
                ]
                draw_marks(axes, mark, points)
        band = result.noise.band(metric)
        if band is not None:
            axes.axhspan(-50 * band, 50 * band, color=BLUE, alpha=0.12, linewidth=0)
        axes.axhline(0, linewidth=0.8)
        axes.set_title(metric)
        axes.set_xlabel("trial")
        axes.set_ylabel("from the mean, %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend()
    caption = (
        "Repeated tests of one configuration, in the order in which they were run. Two tests "
        "further apart than the shaded band is high differ by more than noise explains."
    )
    return Drawing("noise", "Noise and drift", caption, figure)
