"""The plots of a comparison, as one HTML page that needs no network."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from benchmarks.comparison.run import Run
from benchmarks.comparison.statistics import Runs

# Okabe-Ito colours, and dashes for a second round of them.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#999999")
DASHES = ("solid", "dash", "dot")


def write_plots(runs: Runs, path: Path) -> None:
    """Write every plot to one page."""
    figures = list(_figures(runs))
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=index == 0)
        for index, figure in enumerate(figures)
    ]
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Searchers compared</title>'
    note = "<p>Every number is simulated or in closed form; no engine was run.</p>"
    path.write_text("\n".join([head, note, *parts, "</html>"]), encoding="utf-8")


def _figures(runs: Runs) -> Iterator[go.Figure]:
    for degree in runs.degrees:
        curves = {
            a: _share_curves(runs, runs.of(algorithm=a, degree=degree)) for a in runs.algorithms
        }
        title = f"All services, {degree} at once"
        yield _figure(title, "share of the best improvement", curves)
    for service in runs.services:
        chosen = {a: runs.of(service=service, algorithm=a) for a in runs.algorithms}
        curves = {
            a: [list(run.curve) for run in of_algorithm] for a, of_algorithm in chosen.items()
        }
        yield _figure(service, "improvement over the default, as judged", curves)


def _share_curves(runs: Runs, chosen: Sequence[Run]) -> list[list[float]]:
    return [[runs.share(run, n) for n in range(len(run.curve))] for run in chosen]


def _figure(title: str, y: str, curves: dict[str, list[list[float]]]) -> go.Figure:
    figure = go.Figure()
    for index, (name, values) in enumerate(curves.items()):
        if values:
            line = {
                "color": COLOURS[index % len(COLOURS)],
                "dash": DASHES[index // len(COLOURS) % len(DASHES)],
            }
            mean = np.mean(values, axis=0)
            label = f"{name} ({len(values)} runs)"
            figure.add_trace(go.Scatter(y=mean, name=label, mode="lines", line=line))
    figure.update_layout(title=title, xaxis_title="observations", yaxis_title=y)
    return figure
