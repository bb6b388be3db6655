"""The plots of a report, as plotly figures."""

from collections.abc import Sequence

import plotly.graph_objects as go

from scoot_ray.core.display import describe_config
from scoot_ray.core.objective import Objective
from scoot_ray.core.pareto import measured
from scoot_ray.core.result import Result
from scoot_ray.core.trial import TrialRecord

# Okabe-Ito colours: told apart by colour-blind readers, and by their markers besides.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#E69F00", "#009E73", "#999999"


def front_plot(result: Result) -> go.Figure:
    """Draw the first two objectives of every measured trial, the front and the default."""
    x, y = result.objectives[0], result.objectives[1]
    figure = go.Figure()
    trials = measured(result.trials, result.objectives)
    figure.add_trace(_points(trials, x, y, "measured", _GREY, "circle"))
    front = _points(result.front, x, y, "Pareto front", _BLUE, "diamond")
    figure.add_trace(front.update(mode="lines+markers"))
    if result.default is not None and result.default in trials:
        figure.add_trace(_points([result.default], x, y, "default", _ORANGE, "square"))
    if result.recommendation is not None:
        chosen = [result.recommendation.record]
        figure.add_trace(_points(chosen, x, y, "recommended", _GREEN, "star"))
    figure.update_layout(title="Pareto front", xaxis_title=x.metric, yaxis_title=y.metric)
    figure.update_xaxes(type=_axis([record.metrics[x.metric] for record in trials]))
    figure.update_yaxes(type=_axis([record.metrics[y.metric] for record in trials]))
    return figure


def convergence_plot(result: Result, objective: Objective) -> go.Figure:
    """Draw every trial's value of one objective and the best so far, in order of trials."""
    trials = sorted(measured(result.trials, [objective]), key=lambda record: record.number)
    numbers = [record.number for record in trials]
    values = [record.metrics[objective.metric] for record in trials]
    best: list[float] = []
    for value in values:
        best.append(value if not best or objective.is_better(value, best[-1]) else best[-1])
    hover = [describe_config(record.config) for record in trials]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=numbers, y=values, mode="markers", name="trial", text=hover, marker={"color": _GREY}
        )
    )
    line = {"color": _BLUE, "shape": "hv"}
    figure.add_trace(go.Scatter(x=numbers, y=best, mode="lines", name="best so far", line=line))
    figure.update_layout(
        title=f"{objective.metric} over trials", xaxis_title="trial", yaxis_title=objective.metric
    )
    figure.update_yaxes(type=_axis(values))
    return figure


def _axis(values: Sequence[float]) -> str:
    """Choose a logarithmic axis for values that span more than a factor of ten, as TTFT does."""
    return "log" if values and min(values) > 0 and max(values) > 10 * min(values) else "linear"


def _points(
    trials: Sequence[TrialRecord],
    x: Objective,
    y: Objective,
    name: str,
    colour: str,
    symbol: str,
) -> go.Scatter:
    return go.Scatter(
        x=[record.metrics[x.metric] for record in trials],
        y=[record.metrics[y.metric] for record in trials],
        text=[f"trial {r.number}: {describe_config(r.config)}" for r in trials],
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 10},
    )
