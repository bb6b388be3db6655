"""The report as Markdown, for a pull request or a ticket."""

from scoot_ray.report.findings import Findings
from scoot_ray.report.reproduction import reproduction_table
from scoot_ray.report.tables import (
    Table,
    comparison_table,
    config_table,
    failures_table,
    front_table,
    importance_table,
    noise_table,
    time_table,
    trials_table,
)
from scoot_ray.report.verdict import verdict

SPECIAL = frozenset("\\`*_{}[]()<>#+!|~$@&")
"""Characters that may mean something in Markdown or HTML; a name that is none is left alone."""


def render_markdown(findings: Findings) -> str:
    """Return the report in GitHub's Markdown; what came from outside is shown as it is written."""
    result = findings.result
    parts = [
        f"## SCOOT-Ray: {_escape(findings.study.name)}",
        _escape(verdict(result)),
        f"Measured by: {_escape(result.measured_by)}.",
        *map(_table, (comparison_table(result), config_table(result), front_table(result))),
        *(_table(importance_table(influence)) for influence in findings.influences),
        *map(
            _table,
            (
                failures_table(result),
                noise_table(result),
                time_table(result),
                reproduction_table(findings),
            ),
        ),
        _folded(trials_table(result)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    return f"### {_escape(table.title)}\n\n{_rows(table)}"


def _folded(table: Table) -> str:
    title = f"{len(table.rows)} trials"
    return f"<details><summary>{title}</summary>\n\n{_rows(table)}\n\n</details>"


def _rows(table: Table) -> str:
    lines = [table.header, ("---",) * len(table.header), *table.rows]
    escaped = [lines[0], lines[1], *(tuple(map(_escape, row)) for row in lines[2:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def _escape(text: str) -> str:
    """Write a text so that it is shown as it is, on one line."""
    one_line = " ".join(text.split())
    return "".join(
        f"\\{character}" if character in SPECIAL else character for character in one_line
    )
