"""What a comparison leaves behind: `tables.md`, `comparison.json`, `plots.html`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparison.statistics import Runs
from benchmarks.result_file import machine, rounded
from scoot_ray.report.tables import Table

OUR_PACKAGES = ("torch", "botorch", "scikit-learn", "pymoo", "numpy", "ray")


def write_documents(
    folder: Path,
    runs: Runs,
    tables: Sequence[Table],
    *,
    command: str,
    peer_versions: Mapping[str, str],
) -> None:
    """Write tables, data and plots beside the runs."""
    # Plotly takes a second to import.
    from benchmarks.comparison.plots import write_plots

    folder.mkdir(parents=True, exist_ok=True)
    facts = _facts(runs, command, peer_versions)
    (folder / "tables.md").write_text(_markdown(facts, tables), encoding="utf-8")
    content = {
        **facts,
        "tables": [_plain(t) for t in tables],
        "runs": [r.to_json() for r in runs.runs],
    }
    text = json.dumps(rounded(content)) + "\n"
    (folder / "comparison.json").write_text(text, encoding="utf-8")
    write_plots(runs, folder / "plots.html")


def _facts(runs: Runs, command: str, peers: Mapping[str, str]) -> dict[str, Any]:
    made_with = machine(OUR_PACKAGES)
    return {
        "command": command,
        "commits": {
            algorithm: sorted({run.commit for run in runs.of(algorithm=algorithm)})
            for algorithm in runs.algorithms
        },
        **made_with,
        "versions": made_with["versions"] | dict(peers),
    }


def _markdown(facts: Mapping[str, Any], tables: Sequence[Table]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    by_commit: dict[str, list[str]] = {}
    for algorithm, commits in facts["commits"].items():
        by_commit.setdefault(", ".join(commits), []).append(algorithm)
    commits = "; ".join(f"{commit}: {', '.join(names)}" for commit, names in by_commit.items())
    lines = [
        "# Searchers compared",
        "",
        "Every number is simulated or in closed form; no engine was run.",
        "",
        f"    {facts['command']}",
        "",
        f"Commits: {commits}. Python {facts['python']}, {facts['system']}. Versions: {versions}.",
    ]
    for table in tables:
        lines += ["", f"## {table.title}", "", *_rows(table)]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> list[str]:
    rule = ["---"] * len(table.header)
    return [f"| {' | '.join(row)} |" for row in (table.header, rule, *table.rows)]


def _plain(table: Table) -> dict[str, Any]:
    return {"title": table.title, "header": table.header, "rows": table.rows}
