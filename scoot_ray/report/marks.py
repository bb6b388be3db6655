"""How trials are drawn: each kind has a colour that colour-blind readers tell, and its own shape.

The palette is that of Okabe and Ito, its blue a little lighter to be seen on a dark page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from scoot_ray.core.display import describe_config, format_metric
from scoot_ray.core.result import Result
from scoot_ray.core.trial import TrialRecord

BLUE, ORANGE, GREEN, VERMILION = "#1a86c8", "#E69F00", "#009E73", "#D55E00"
SKY, GREY = "#56B4E9", "#8a8a8a"
OKABE_ITO = (BLUE, ORANGE, GREEN, VERMILION, SKY, "#CC79A7")


@dataclass(frozen=True)
class Mark:
    """A kind of mark, as the legend names it."""

    label: str
    colour: str
    shape: str
    size: float = 6.0
    is_hollow: bool = False


MEASURED = Mark("measured", GREY, "o")
BOUND = Mark("ended early: at best here", GREY, "^", is_hollow=True)
FRONT = Mark("Pareto front", BLUE, "D", 7.0)
DEFAULT = Mark("default", ORANGE, "s", 9.0)
RECOMMENDED = Mark("recommended", GREEN, "*", 14.0)
CRASHED = Mark("infeasible", VERMILION, "X", 8.0)
COMPLETED = Mark("completed", BLUE, "o")


def draw_marks(axes: Axes, mark: Mark, points: Iterable[tuple[float, float, str | None]]) -> None:
    """Draw points (x, y, gid) of one kind, each an artist of its own, and name the kind once."""
    label: str | None = mark.label
    for x, y, gid in points:
        axes.plot(
            [x],
            [y],
            linestyle="none",
            marker=mark.shape,
            markersize=mark.size,
            markeredgecolor=mark.colour,
            markerfacecolor="none" if mark.is_hollow else mark.colour,
            label=label,
            gid=gid,
        )
        label = "_nolegend_"


def describe_point(record: TrialRecord, result: Result) -> str:
    """Write what a trial's mark says: its number, its metrics, what it changes."""
    default = result.default.config if result.default else None
    metrics = ", ".join(
        f"{name} {format_metric(name, record.metrics[name])}"
        for name in result.metrics_of_interest
        if name in record.metrics
    )
    bound = f" ({record.early_stop})" if record.is_bound else ""
    return f"trial {record.number}{bound}: {metrics}; {describe_config(record.config, default)}"


def label_axis(axes: Axes, which: str, metric: str, values: Sequence[float]) -> None:
    """Label an axis by a metric; logarithmic where values span more than a factor of ten."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if values and min(values) > 0 and max(values) > 10 * min(values):
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_metric(metric, value)))
    axis.set_label_text(metric)
