"""What commands print: tables and outcomes."""

import sys

from rich.console import Console
from rich.table import Table as RichTable

from scoot_ray.core.display import format_duration
from scoot_ray.core.failure import AT_FIRST, Failure
from scoot_ray.core.outcome import Outcome
from scoot_ray.report.tables import Table

LOG_WIDTH = 140


def print_line(text: str = "") -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal."""
    rich_table = RichTable(title=table.title, title_justify="left")
    for heading in table.header:
        rich_table.add_column(heading, overflow="fold")
    for row in table.rows:
        rich_table.add_row(*row)
    # Rich takes 80 columns where there is no terminal, which folds every cell of a log file.
    width = None if sys.stdout.isatty() else LOG_WIDTH
    Console(markup=False, highlight=False, width=width).print(rich_table)


def print_outcome(outcome: Outcome) -> None:
    """Print how a stress test ended, and why if it failed."""
    phases = ", ".join(f"{name} {format_duration(s)}" for name, s in outcome.phases_s.items())
    print_line(f"{outcome.state.value}   {phases}")
    if outcome.first_failure is not None:
        _print_failure(outcome.first_failure, AT_FIRST)
    if outcome.failure is not None:
        _print_failure(outcome.failure)


def _print_failure(failure: Failure, introduction: str = "") -> None:
    print_line("\n".join([f"{introduction}{failure.message}", *failure.log_tail]))
