"""Rows: from the parsed lines of any format to a trace; malformed lines are named here."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request
from traces.schema import Trace
from traces.source import Source

Line = TypeVar("Line")


class Row(NamedTuple):
    """Hold what a line says; tokens may be 0 here (a failed request), arrivals of any origin."""

    arrival_s: float
    prompt_tokens: int
    output_tokens: int
    session: str | None = None
    prefix_hashes: tuple[int, ...] = ()
    block_tokens: int = 0
    text: str | None = None


def parse_rows(
    source: Source, lines: Iterable[tuple[int, Line]], parse: Callable[[Line], Row]
) -> Iterator[Row]:
    """Parse numbered lines one by one.

    Raises:
        TraceError: Naming the first line that `parse` cannot make sense of.
    """
    for number, line in lines:
        try:
            yield parse(line)
        except KeyError as error:
            raise TraceError(f"Trace {source.uri}, line {number}: {error} is missing.") from None
        except IndexError:
            raise TraceError(f"Trace {source.uri}, line {number}: too few columns.") from None
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TraceError(f"Trace {source.uri}, line {number}: {error}.") from None


def build_trace(source: Source, rows: Iterable[Row], *, format_name: str, time_unit: str) -> Trace:
    """Sort rows by arrival, let the first arrive at 0, and drop those without any tokens.

    Raises:
        TraceError: If no row is left.
    """
    every = list(rows)
    usable = [row for row in every if row.prompt_tokens > 0 and row.output_tokens > 0]
    if not usable:
        raise TraceError(
            f"Trace {source.uri} ({format_name}): expected requests with at least one prompt and "
            f"one output token; none of its {len(every)} rows is one."
        )
    usable.sort(key=lambda row: row.arrival_s)
    start_s = usable[0].arrival_s
    requests = tuple(Request(row.arrival_s - start_s, *row[1:]) for row in usable)
    num_dropped = len(every) - len(usable)
    return Trace(requests, source.uri, source.sha256, time_unit, format_name, num_dropped)


def token_count(value: Any) -> int:
    """Read a count of tokens, at least 0.

    Raises:
        ValueError: If it is not a whole number.
    """
    number = float(value)
    if not (number.is_integer() and number >= 0):
        raise ValueError(f"expected a whole number of tokens, got {value!r}")
    return int(number)


def seconds(value: Any) -> float:
    """Read a finite time.

    Raises:
        ValueError: If it is not a finite number.
    """
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite time, got {value!r}")
    return number
