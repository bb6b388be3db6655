"""CSV files with a header: recognised by their columns, read column by column name."""

import csv
from collections.abc import Callable, Iterator, Sequence
from io import StringIO

from scoot_ray.core.errors import TraceError
from traces.rows import Row, build_trace, parse_rows
from traces.schema import Trace
from traces.source import Source


def header_of(source: Source) -> tuple[str, ...]:
    """Return the column names of the first line."""
    return tuple(name.strip() for name in next(csv.reader([source.first_line]), []))


def has_columns(source: Source, columns: Sequence[str]) -> bool:
    """Tell whether the first line is a CSV header with these columns, in any order."""
    try:
        return set(columns) <= set(header_of(source))
    except csv.Error:
        return False


def load_csv(
    source: Source,
    parse: Callable[[list[str]], Row],
    *,
    columns: Sequence[str],
    format_name: str,
    time_unit: str,
) -> Trace:
    """Read a CSV file; `parse` gets the values of `columns`, in that order.

    Raises:
        TraceError: Naming the first line that is malformed.
    """
    header = header_of(source)
    indices = [header.index(column) for column in columns]
    rows = parse_rows(source, _records(source), lambda line: parse([line[i] for i in indices]))
    return build_trace(source, rows, format_name=format_name, time_unit=time_unit)


def _records(source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield the records after the header, with the line on which each ends."""
    reader = csv.reader(StringIO(source.text, newline=""))
    is_header = True
    try:
        for record in reader:
            if len(record) < 2 and not "".join(record).strip():  # a blank line
                continue
            if not is_header:
                yield reader.line_num, record
            is_header = False
    except csv.Error as error:
        raise TraceError(f"Trace {source.uri}, line {reader.line_num}: {error}.") from None
