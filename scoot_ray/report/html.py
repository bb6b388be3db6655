"""The report as one self-contained HTML file that needs no network."""

import html
from collections.abc import Sequence
from pathlib import Path

from scoot_ray.core.result import Result
from scoot_ray.core.trial import TrialRecord
from scoot_ray.report.drawing import Drawing, to_svg
from scoot_ray.report.figure_list import draw_all
from scoot_ray.report.findings import Findings
from scoot_ray.report.page import render_page
from scoot_ray.report.reproduction import reproduction_table, study_yaml
from scoot_ray.report.tables import (
    Table,
    comparison_table,
    config_table,
    failures_table,
    front_table,
    noise_table,
    time_table,
    trials_table,
)
from scoot_ray.report.verdict import verdict

WORDY = ("changes from the default", "notes", "the first one said")


def write_report(findings: Findings, path: Path) -> None:
    """Write the report of a study to `path`."""
    path.write_text(render_report(findings), encoding="utf-8")


def render_report(findings: Findings) -> str:
    """Return the report as HTML; everything that came from outside is escaped."""
    result = findings.result
    figures = {drawing.name: drawing for drawing in draw_all(findings)}
    sections = [
        ("Default and recommended", "evidence", [comparison_table(result), config_table(result)]),
        ("Pareto front", "front", [front_table(result)]),
        ("Convergence", "convergence", []),
        ("What mattered", "importance dependence", []),
        ("What crashed", "feasibility", [failures_table(result)] if _has_failed(result) else []),
        ("Noise and drift", "noise", [noise_table(result)]),
        ("Time", "time", [time_table(result)]),
    ]
    parts = [
        f'<p class="verdict">{html.escape(verdict(result))}</p>',
        f"<p>Measured by: {html.escape(result.measured_by)}.</p>",
    ]
    body: list[str] = []
    links: list[str] = []
    for title, names, tables in sections:
        shown = [figures[name] for name in names.split() if name in figures]
        content = [*map(_figure, shown), *map(_table, tables)]
        _add(title, content or [f"<p>{_ABSENT[names]}</p>"], body, links)
    _add("Trials", [_trials(findings)], body, links)
    _add("How to reproduce", _reproduction(findings), body, links)
    return render_page(findings.study.name, [*parts, f"<nav>{''.join(links)}</nav>", *body])


_ABSENT = {
    "convergence": "No trial completed.",
    "importance dependence": "Too few trials completed to tell which parameters matter.",
    "feasibility": "No trial failed.",
}


def _has_failed(result: Result) -> bool:
    return any(record.failure is not None for record in result.trials)


def _add(title: str, content: Sequence[str], body: list[str], links: list[str]) -> None:
    anchor = title.lower().replace(" ", "-")
    links.append(f'<a href="#{anchor}">{title}</a>')
    body += [f'<section id="{anchor}"><h2>{title}</h2>', *content, "</section>"]


def _figure(drawing: Drawing) -> str:
    caption = f"<b>{html.escape(drawing.title)}.</b> {html.escape(drawing.caption)}"
    return f"<figure>{to_svg(drawing)}<figcaption>{caption}</figcaption></figure>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in table.header)
    rows = ["".join(map(_cell, row, table.header)) for row in table.rows]
    return _wrapped(table.title, "", head, rows)


def _trials(findings: Findings) -> str:
    """Return the table of trials: its headings sort it, and logs unfold in it."""
    result = findings.result
    table = trials_table(result)
    head = "".join(
        f'<th scope="col"><button type="button">{html.escape(cell)}</button></th>'
        for cell in table.header
    )
    rows = []
    for record, row in zip(result.trials, table.rows, strict=True):
        values = _sort_values(record, row, result.metrics_of_interest)
        cells = list(map(_cell, row, table.header, values))
        log = _log(record, findings.log_of(record))
        rows.append("".join([*cells[:-1], cells[-1].removesuffix("</td>"), log, "</td>"]))
    return _wrapped(f"{len(rows)} trials", "sortable", head, rows)


def _wrapped(title: str, kind: str, head: str, rows: Sequence[str]) -> str:
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(title)}">'
        f'<table class="{kind}"><caption>{html.escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(text: str, heading: str, value: str | None = None) -> str:
    wordy = ' class="wordy"' if heading in WORDY and text else ""
    sort = "" if value is None else f' data-value="{html.escape(value)}"'
    return f"<td{wordy}{sort}>{html.escape(text)}</td>"


def _sort_values(record: TrialRecord, row: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Return what each cell of a trial's row is sorted by; empty where it has no value."""
    measured = [str(record.metrics.get(metric, "")) for metric in metrics]
    return [*row[:3], *measured, str(record.gpu_seconds), *row[-2:]]


def _log(record: TrialRecord, lines: Sequence[str]) -> str:
    """Fold the end of a trial's log; on paper only that of a failure is unfolded."""
    if not lines:
        return ""
    kind = ' class="on-paper"' if record.mishap else ""
    log = html.escape("\n".join(lines))
    return f"<details{kind}><summary>last lines of its log</summary><pre>{log}</pre></details>"


def _reproduction(findings: Findings) -> list[str]:
    study = html.escape(study_yaml(findings))
    return [
        _table(reproduction_table(findings)),
        '<details class="on-paper"><summary>The study as it was resolved</summary>'
        f"<pre>{study}</pre></details>",
    ]
