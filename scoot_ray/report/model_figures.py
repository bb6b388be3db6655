"""The figures of what was learned: which parameters matter, how, and where configurations crash."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from scoot_ray.report.drawing import Drawing, make_axes, styled
from scoot_ray.report.feasible_region import FeasibleRegion
from scoot_ray.report.findings import Findings
from scoot_ray.report.influence import Importance, Influence
from scoot_ray.report.marks import (
    BLUE,
    COMPLETED,
    CRASHED,
    OKABE_ITO,
    draw_marks,
    label_axis,
)

NUM_CURVES = 3
MAX_TICKS = 6


@styled
def importance_figure(findings: Findings) -> Drawing:
    """Draw each parameter's share in every objective, with the range of the partial fits."""
    influences = findings.influences
    names = _names_by_importance(influences)
    figure, (axes,) = make_axes(1, height_inches=1.0 + 0.42 * len(names))
    height = 0.8 / len(influences)
    for n, (influence, colour) in enumerate(zip(influences, OKABE_ITO, strict=False)):
        found = {importance.parameter: importance for importance in influence.importances}
        shares = np.array([found[name].share for name in names])
        lows = shares - [found[name].low for name in names]
        highs = [found[name].high for name in names] - shares
        axes.barh(
            np.arange(len(names)) + (n - (len(influences) - 1) / 2) * height,
            100 * shares,
            height=0.9 * height,
            color=colour,
            hatch=("", "//", "..", "xx")[n % 4],
            edgecolor="white",
            linewidth=0,
            label=influence.objective.metric,
            xerr=100 * np.array([lows, highs]),
            error_kw={"ecolor": "#8a8a8a", "capsize": 3},
        )
    axes.set_yticks(np.arange(len(names)), labels=names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("share of the variance that the parameter explains by itself, %")
    axes.legend(loc="lower right")
    num_trials = min(influence.num_trials for influence in influences)
    caption = (
        f"By the search's own Gaussian process on {num_trials} trials, over the whole space. The "
        "thin lines span five fits that each left a fifth of the trials out: a long line is a "
        "parameter about which the study cannot say much."
    )
    return Drawing("importance", "What mattered", caption, figure)


@styled
def dependence_figure(findings: Findings) -> Drawing:
    """Draw how each objective depends on its most important parameters."""
    panels = [
        (influence, importance)
        for influence in findings.influences
        for importance in influence.importances[:NUM_CURVES]
    ]
    figure, all_axes = make_axes(len(panels), columns=NUM_CURVES, height_inches=2.7)
    for axes, (influence, importance) in zip(all_axes, panels, strict=True):
        _draw_curve(axes, influence, importance)
    caption = (
        "The surrogate's mean over the range of one parameter, the others averaged out; shaded: "
        "one standard deviation of the surrogate, at most."
    )
    return Drawing("dependence", "How it mattered", caption, figure)


@styled
def feasibility_figure(region: FeasibleRegion) -> Drawing:
    """Draw the learned feasibility over two parameters, and the trials that it was learned from."""
    figure, (axes,) = make_axes(1, height_inches=4.6)
    shown = axes.imshow(
        region.probability, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=1
    )
    bar = figure.colorbar(shown, ax=axes)
    bar.set_label("probability of feasibility")
    axes.grid(visible=False)
    first, second = region.names
    for mark, wanted in ((COMPLETED, True), (CRASHED, False)):
        points = [
            (_position(region.columns, config[second]), _position(region.rows, config[first]), None)
            for config, completed in region.trials
            if completed is wanted
        ]
        draw_marks(axes, mark, points)
    for artist in axes.lines:
        artist.set_markeredgecolor("white")
    _label_ticks(axes, "x", region.columns)
    _label_ticks(axes, "y", region.rows)
    axes.set_xlabel(second)
    axes.set_ylabel(first)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)
    num_crashed = sum(not completed for _, completed in region.trials)
    caption = (
        f"Learned from {len(region.trials)} trials, {num_crashed} of them infeasible, over the two "
        "parameters that tell most about it; the others are averaged out."
    )
    return Drawing("feasibility", "What crashed", caption, figure)


@styled
def time_figure(phases: Sequence[tuple[str, float]], device: str) -> Drawing:
    """Draw the hours of each phase times the devices, GPUs or CPU ranks, that a trial held."""
    figure, (axes,) = make_axes(1, height_inches=0.8 + 0.35 * len(phases))
    names = [name for name, _ in phases]
    hours = [gpu_seconds / 3600 for _, gpu_seconds in phases]
    bars = axes.barh(names, hours, color=BLUE, height=0.6)
    axes.bar_label(bars, fmt="%.3g", padding=4)
    axes.invert_yaxis()
    axes.set_xlabel(f"{device} hours")
    caption = (
        f"{device}s of each trial's bundle times the length of the phase, over all trials; in a "
        "study that was simulated, the hours are, too. Readiness is the time from the launch of an "
        "engine's process until it is healthy, where that was timed."
    )
    return Drawing("time", f"Where the {device} hours went", caption, figure)


def _names_by_importance(influences: Sequence[Influence]) -> list[str]:
    most: dict[str, float] = {}
    for influence in influences:
        for importance in influence.importances:
            name = importance.parameter
            most[name] = max(importance.share, most.get(name, 0.0))
    return sorted(most, key=lambda name: -most[name])


def _draw_curve(axes: Axes, influence: Influence, importance: Importance) -> None:
    curve = importance.curve
    positions = np.arange(len(curve.values))
    few = len(positions) <= MAX_TICKS
    axes.fill_between(positions, curve.low, curve.high, color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(positions, curve.mean, color=BLUE, marker="o" if few else "", linewidth=2)
    _label_ticks(axes, "x", curve.values)
    axes.set_xlabel(importance.parameter)
    metric = influence.objective.metric
    label_axis(axes, "y", metric, [*map(float, curve.low), *map(float, curve.high)])


def _label_ticks(axes: Axes, which: str, values: Sequence[Any]) -> None:
    """Name some of the values, evenly spaced."""
    step = max(1, -(-(len(values) - 1) // (MAX_TICKS - 1)))
    positions = list(range(0, len(values), step))
    labels = [_short(values[position]) for position in positions]
    (axes.set_xticks if which == "x" else axes.set_yticks)(positions, labels=labels)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower()


def _position(values: Sequence[Any], value: Any) -> float:
    """Return where a value lies among the values of an axis, between two of them if need be."""
    if value in values:
        return float(values.index(value))
    return float(np.interp(value, values, np.arange(len(values))))
