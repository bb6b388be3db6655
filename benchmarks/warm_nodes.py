"""What `search.mode: warm_first` saves on nodes that come and go with the demand, simulated.

    python -m benchmarks.warm_nodes

One study of 32 trials of 1, 2, 4 or 8 GPUs (`benchmarks/cluster_scale.py`), on as many nodes of 8
GPUs as trials may run at once. A node takes 5 minutes to come up, goes after 5 minutes without a
trial, and is lost 0.24 times an hour. The order of trials is all that differs: what a search pays
for knowing less is measured by `python -m benchmarks.analytic scoot --mode warm_first`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cluster_model import NODE_GPUS, Conditions, Outcome, simulate
from benchmarks.cluster_scale import (
    HEAD_CPUS,
    REPLACEMENT_S,
    TRIALS_PER_STUDY,
    USUAL_RATE_PER_H,
    make_trials,
)
from benchmarks.entry import run_command
from benchmarks.result_file import write_result

RESULTS = Path(__file__).parent / "results" / "warm_nodes.json"
DEGREES = (2, 4, 8)
IDLE_TIMEOUT_S = 300.0  # what `scoot cluster render` writes
SHOWN = {
    "makespan_s": ("hours", 1 / 3600),
    "num_node_starts": ("node starts", 1.0),
    "node_hours": ("node hours", 1.0),
    "idle_share": ("GPUs idle, %", 100.0),
}


def main(seeds: Annotated[int, typer.Option(min=2)] = 200, output: Path = RESULTS) -> None:
    """Simulate both modes on the same trials, print the means, and write them as JSON."""
    rows = [compare(degree, seeds) for degree in DEGREES]
    Console().print(table(rows, seeds))
    write_result(output, simulated=True, seeds=seeds, rows=rows)


def compare(parallelism: int, seeds: int) -> dict[str, Any]:
    """Return the mean of each outcome in both modes, and the error of their mean difference."""
    plain, warm = (
        [run(parallelism, stock, seed) for seed in range(seeds)] for stock in (1, parallelism)
    )
    row: dict[str, Any] = {"parallelism": parallelism}
    for each in fields(Outcome):
        before, after = (
            np.array([getattr(found, each.name) for found in side]) for side in (plain, warm)
        )
        row[each.name] = {
            "asynchronous": float(before.mean()),
            "warm_first": float(after.mean()),
            "standard_error": float((after - before).std(ddof=1) / np.sqrt(seeds)),
        }
    return row


def run(parallelism: int, stock: int, seed: int) -> Outcome:
    """Simulate one study, whose suggestions take no time."""
    conditions = Conditions(
        num_gpus=NODE_GPUS * parallelism,
        preemptions_per_h=USUAL_RATE_PER_H,
        replacement_s=REPLACEMENT_S,
        is_elastic=True,
        head_cpus=HEAD_CPUS,
        suggestion_s=lambda _: 0.0,
        is_ahead=stock == 1,
        stock=stock,
        idle_timeout_s=IDLE_TIMEOUT_S,
    )
    return simulate(conditions, [make_trials(TRIALS_PER_STUDY, seed)], parallelism, seed)


def table(rows: Sequence[Mapping[str, Any]], seeds: int) -> Table:
    """Tabulate both modes, with their mean difference and its standard error."""
    shown = Table(title=f"Simulated: means of {seeds} studies")
    for heading in ("at once", "of a study", "asynchronous", "warm_first", "difference"):
        shown.add_column(heading, no_wrap=True)
    for row in rows:
        for name, (heading, scale) in SHOWN.items():
            before, after, error = (scale * value for value in row[name].values())
            cells = (f"{before:.2f}", f"{after:.2f}", f"{after - before:+.2f} ± {error:.2f}")
            shown.add_row(str(row["parallelism"]), heading, *cells)
    return shown


if __name__ == "__main__":
    run_command(main)
