"""The report as one self-contained HTML file that needs no network."""

import html
from collections.abc import Iterable
from pathlib import Path

from plotly.offline import get_plotlyjs

from scoot_ray.core.result import Result
from scoot_ray.report.plots import convergence_plot, front_plot
from scoot_ray.report.tables import (
    Table,
    comparison_table,
    config_table,
    front_table,
    trials_table,
)
from scoot_ray.report.verdict import verdict

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.3rem 0.7rem; border-bottom: 1px solid #8886; }
.wide { overflow-x: auto; }
.verdict { font-size: 1.15rem; border-left: 4px solid #0072B2; padding-left: 1rem; }
"""


def write_report(name: str, result: Result, path: Path) -> None:
    """Write the report of a study to `path`."""
    path.write_text(render_report(name, result), encoding="utf-8")


def render_report(name: str, result: Result) -> str:
    """Return the report as HTML; everything that came from outside is escaped."""
    tables = (comparison_table, config_table, front_table, trials_table)
    parts = [
        f'<p class="verdict">{html.escape(verdict(result))}</p>',
        f"<p>Measured by: {html.escape(result.measured_by)}.</p>",
        *(_table(make(result)) for make in tables[:3]),
        *_plots(result),
        _table(tables[3](result)),
        _failures(result),
    ]
    return render_page(name, parts)


def render_page(name: str, parts: Iterable[str]) -> str:
    """Return a page with plotly on it, titled `name`, that is made of parts in HTML."""
    title = f"SCOOT-Ray: {html.escape(name)}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f"<title>{title}</title><style>{_STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body>",
            f"<h1>{title}</h1>",
            *parts,
            "</body></html>",
        ]
    )


def _plots(result: Result) -> list[str]:
    if result.default is None or result.recommendation is None:
        return []
    figures = [convergence_plot(result, objective) for objective in result.objectives]
    if len(result.objectives) > 1:
        figures.insert(0, front_plot(result))
    return [figure.to_html(full_html=False, include_plotlyjs=False) for figure in figures]


def _table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    return (
        f"<h2>{html.escape(table.title)}</h2><div class='wide'><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _failures(result: Result) -> str:
    failed = [record for record in result.trials if record.failure and record.failure.log_tail]
    if not failed:
        return ""
    sections = []
    for record in failed:
        assert record.failure is not None
        log = html.escape("\n".join(record.failure.log_tail))
        sections.append(
            f"<details><summary>Trial {record.number}: {html.escape(record.failure.message)}"
            f"</summary><pre>{log}</pre></details>"
        )
    return "<h2>Last lines of the engines that failed</h2>" + "\n".join(sections)
