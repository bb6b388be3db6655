"""What went on inside simulated engines, as one self-contained page of plots."""

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from scoot_ray.report.page import render_page
from scoot_ray.report.quantities import (
    KV_CACHE,
    PREEMPTIONS,
    RUNNING,
    STEP_TIME,
    TOKENS,
    WAITING,
    Quantity,
    Watched,
)
from trainables.simulator.curves import Curves, FloatArray

ROWS = (WAITING, RUNNING, KV_CACHE, TOKENS, STEP_TIME, PREEMPTIONS)
PER_STEP = (TOKENS, STEP_TIME)
ROW_PIXELS = 190
MAX_POINTS = 3000  # of one curve
NUM_MEANS = 240
NEAR = 4  # a limit is drawn where the curve comes within this factor of it
# Near the Okabe-Ito colours, which colour-blind readers tell apart; seen on light and dark pages.
COLOURS = ("#1A86C8", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
GRID = "rgba(128,128,128,0.3)"  # seen on light and on dark pages
CLEAR = "rgba(0,0,0,0)"

# Plotly draws text in a colour of its own; the page's depends on the reader's theme.
_FOLLOW_THEME = """
const plot = document.getElementById('{plot_id}');
const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => Plotly.relayout(plot, {'font.color': dark.matches ? '#ddd' : '#222'});
dark.addEventListener('change', paint);
paint();
"""


def write_timeline_page(
    title: str, engines: Sequence[Watched], notes: Iterable[str], path: Path
) -> None:
    """Write the page of some engines, with a paragraph for each note above the plots."""
    plots = timeline_figure(engines).to_html(
        full_html=False,
        include_plotlyjs=False,
        post_script=_FOLLOW_THEME,
        config={"responsive": True},
    )
    parts = [*(f"<p>{html.escape(note)}</p>" for note in notes), plots]
    path.write_text(render_page(title, parts, [get_plotlyjs()]), encoding="utf-8")


def timeline_figure(engines: Sequence[Watched]) -> go.Figure:
    """Draw every quantity in a row of its own, and every engine in a colour of its own."""
    figure = make_subplots(
        rows=len(ROWS),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.04,
        subplot_titles=[_title(quantity, engines) for quantity in ROWS],
    )
    for engine, colour in zip(engines, cycle(COLOURS), strict=False):
        for row, quantity in enumerate(ROWS, start=1):
            for line in _lines(engine, quantity, colour):
                line.update(legendgroup=engine.label, showlegend=False)
                figure.add_trace(line, row=row, col=1)
        figure.add_trace(_legend_entry(engine, colour), row=1, col=1)
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, showticklabels=True)
    figure.update_xaxes(title_text="seconds since the start of the load", row=len(ROWS))
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, rangemode="tozero")
    for row, quantity in enumerate(ROWS, start=1):
        figure.update_yaxes(title_text=quantity.axis, row=row)
    figure.update_layout(
        height=ROW_PIXELS * len(ROWS) + 150,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        hovermode="x",
        legend={"orientation": "h", "y": 1.03, "yanchor": "bottom"},
        margin={"t": 120, "l": 70, "r": 20},
    )
    return figure


def _title(quantity: Quantity, engines: Sequence[Watched]) -> str:
    notes = ["dotted: decode alone; the rest is prefill"] if quantity is TOKENS else []
    if any(_limit(engine, quantity) for engine in engines):
        notes.append(f"dashed: {quantity.limit}")
    if quantity in PER_STEP and any(_is_crowded(engine) for engine in engines):
        notes.append("bold: mean")
    return f"{quantity.name} ({'; '.join(notes)})" if notes else quantity.name


def _lines(engine: Watched, quantity: Quantity, colour: str) -> Iterator[go.Scatter]:
    """Yield the lines of one engine in one row."""
    curves = engine.curves.thinned(MAX_POINTS)
    is_crowded = quantity in PER_STEP and _is_crowded(engine)
    # A crowd of steps is drawn faintly, behind its mean.
    ink = _faded(colour) if is_crowded else colour
    if quantity is TOKENS:
        decode = _line(curves, curves.decode_tokens, f"{engine.label}: decode", ink)
        yield decode.update(line_dash="dot")
    line = _line(curves, quantity.values(curves), engine.label, ink)
    if quantity is TOKENS and not is_crowded:
        line.update(fill="tonexty", fillcolor=_faded(colour))
    yield line
    if is_crowded:
        means = engine.curves.averaged(NUM_MEANS)
        bold = _line(means, quantity.values(means), f"{engine.label}: mean", colour)
        if quantity is TOKENS:
            decode = _line(means, means.decode_tokens, f"{engine.label}: mean decode", colour)
            yield decode.update(line_dash="dot", line_width=2)
            bold.update(fill="tonexty", fillcolor=_faded(colour))
        yield bold.update(line_width=2)
    limit = _limit(engine, quantity)
    if limit:
        ends_s = [0.0, float(engine.curves.start_s[-1])]
        yield go.Scatter(
            x=ends_s,
            y=[limit, limit],
            name=f"{engine.label}: {quantity.limit}",
            mode="lines",
            line={"color": colour, "width": 1.5, "dash": "dash"},
        )


def _line(curves: Curves, values: FloatArray, name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=curves.start_s.round(4),
        y=values.round(3),
        name=name,
        mode="lines",
        line={"color": colour, "width": 1.2, "shape": "hv"},
    )


def _legend_entry(engine: Watched, colour: str) -> go.Scatter:
    line = {"color": colour, "width": 3}
    return go.Scatter(
        x=[None], y=[None], name=engine.label, legendgroup=engine.label, mode="lines", line=line
    )


def _is_crowded(engine: Watched) -> bool:
    """Tell whether there are so many steps that their line becomes a band."""
    return len(engine.curves) > 5 * NUM_MEANS


def _limit(engine: Watched, quantity: Quantity) -> int | None:
    """Return the limit, unless it is so far away that the curve would be flat below it."""
    if quantity.limit is None:
        return None
    limit: int = getattr(engine.config, quantity.limit)
    return limit if NEAR * quantity.values(engine.curves).max() >= limit else None


def _faded(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.3)"
