"""Searches of the same services with the same seeds, which differ in one thing."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from rich.table import Table

from benchmarks.comparison.statistics import Interval

SERVICES = (
    "bot-7b-4xL40S-v1",
    "azure-13b-2xH100-v1",
    "azure-7b-4xA10-v0",
    "sql-13b-2xL40S-v0",
    "sql-7b-2xA10-v1",
    "rec-7b-4xA10-v1",
    "rec-13b-4xH100-v0",
    "cls-13b-4xA10-v1",
)
"""Of the simulated ones: every workload, both models, both spaces, 2 and 4 GPUs of three kinds."""


class PairedSearch(Protocol):
    """One search of a service with a seed."""

    @property
    def service(self) -> str:
        """What was searched."""
        ...

    @property
    def seed(self) -> int:
        """By which it is paired."""
        ...

    @property
    def variant(self) -> str:
        """In what it differs."""
        ...

    @property
    def curve(self) -> Sequence[float]:
        """Improvement over the default, as judged, after 0, 1, ... observations."""
        ...

    @property
    def num_infeasible(self) -> int:
        """Trials that crashed."""
        ...


def share_table(
    searches: Sequence[PairedSearch], controls: Mapping[str, str], shown: Sequence[int]
) -> Table:
    """Tabulate shares of the best improvement that any search of the service reached.

    Args:
        searches: All of them, also those that only say how far one can come.
        controls: The variant that each is compared with; those without are controls themselves.
        shown: After how many observations; longer than the searches is left out.
    """
    best: dict[str, float] = {}
    for search in searches:
        best[search.service] = max(best.get(search.service, 0.0), search.curve[-1])
    curves = {
        (search.variant, search.service, search.seed): 100.0
        * np.array(search.curve)
        / best[search.service]
        for search in searches
    }
    shown = [n for n in shown if n < len(searches[0].curve)]
    headings = ("variant", *(f"after {n}" for n in shown), "crashes")
    table = Table(*headings, title="Share of the best improvement, % (simulated)")
    for variant in dict.fromkeys(search.variant for search in searches):
        mine = {key[1:]: curve for key, curve in curves.items() if key[0] == variant}
        crashes = [search.num_infeasible for search in searches if search.variant == variant]
        cells = [f"{Interval.of([curve[n] for curve in mine.values()]):.0f}" for n in shown]
        table.add_row(variant, *cells, f"{np.mean(crashes):.1f}")
        if variant in controls:
            pairs = [(curve, curves[controls[variant], *key]) for key, curve in mine.items()]
            gains = [f"{Interval.of([a[n] - b[n] for a, b in pairs]):+.0f}" for n in shown]
            table.add_row(f"  against {controls[variant]}", *gains, "")
    return table
