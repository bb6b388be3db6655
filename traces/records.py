"""Records: the rows of a file as mappings, whether it is CSV, JSON lines, JSON or Parquet."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO, StringIO
from typing import Any, Literal

from scoot_ray.core.errors import TraceError, did_you_mean
from traces.source import Source

Container = Literal["csv", "json lines", "json", "parquet"]
# Where a record stands, for messages ("line 7"), and what stands there, which may be anything.
Located = tuple[str, Any]
HEAD_CHARACTERS = 200


class MalformedRecordError(ValueError):
    """What stands in a record's place when it cannot even be parsed."""


@dataclass(frozen=True)
class Records:
    """Hold what is needed to recognise and read a file.

    Attributes:
        source: The file.
        container: What the records are packed in.
        first: Names of the columns, or the first JSON object.
        head: What the file starts with, for the message when its format is not known.
        read: Yields every record after a CSV header; a record that cannot be parsed is a
            `MalformedRecordError`.
    """

    source: Source
    container: Container
    first: Mapping[str, Any]
    head: str
    read: Callable[[], Iterator[Located]]

    def has(self, *names: str) -> bool:
        """Tell whether all of these names are columns or keys."""
        return all(name in self.first for name in names)

    def has_any(self, names: tuple[str, ...]) -> bool:
        """Tell whether one of these names is a column or key."""
        return any(name in self.first for name in names)


def open_records(source: Source) -> Records:
    """Find out what a file is packed in, by its first character.

    Raises:
        TraceError: If it is none of the known containers.
    """
    if source.data.startswith(b"PAR1"):
        records = _open_parquet(source)
    elif source.text.lstrip()[:1] in ("[", "{"):
        records = _open_json(source)
    else:
        records = _open_csv(source)
    return _renamed(records) if "rename" in source.options else records


def _open_csv(source: Source) -> Records:
    header = next(_csv_records(source), ("", []))[1]
    names = [name.strip() for name in header]

    def read() -> Iterator[Located]:
        lines = _csv_records(source)
        next(lines, None)
        for where, values in lines:
            yield where, dict(zip(names, values, strict=False))

    return Records(source, "csv", dict.fromkeys(names), ",".join(names)[:HEAD_CHARACTERS], read)


def _csv_records(source: Source) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(StringIO(source.text, newline=""))
    try:
        for record in reader:
            if len(record) > 1 or "".join(record).strip():  # not a blank line
                yield f"line {reader.line_num}", record
    except csv.Error as error:
        raise TraceError(
            f"Trace {source.uri}, line {reader.line_num}: {error}. A quote may be missing; long "
            "texts can be given as JSON lines."
        ) from None


def _open_json(source: Source) -> Records:
    number, first_line = next(_lines(source))
    first = _parse(first_line)
    if isinstance(first, dict):
        return _open_json_lines(source, first, first_line)
    # Either one document over several lines, or JSON lines of which the first is damaged.
    document = _parse(source.text)
    if isinstance(document, MalformedRecordError):
        raise TraceError(f"Trace {source.uri}, line {number}: {first}; as a whole: {document}.")
    items = document if isinstance(document, list) else [document]
    first = items[0] if items and isinstance(items[0], dict) else {}
    head = f"a JSON array whose first item has the keys {', '.join(first) or '(none)'}"

    def read() -> Iterator[Located]:
        for index, item in enumerate(items, start=1):
            yield f"item {index}", item

    return Records(source, "json", first, head[:HEAD_CHARACTERS], read)


def _open_json_lines(source: Source, first: Mapping[str, Any], head: str) -> Records:
    def read() -> Iterator[Located]:
        for number, line in _lines(source):
            yield f"line {number}", _parse(line)

    return Records(source, "json lines", first, head[:HEAD_CHARACTERS], read)


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    # Not splitlines(): JSON strings may hold the other characters at which that breaks.
    for number, line in enumerate(source.text.split("\n"), start=1):
        stripped = line.strip()
        if stripped:
            yield number, stripped


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        return MalformedRecordError("the JSON is nested too deeply")
    except ValueError as error:
        return MalformedRecordError(f"not JSON: {error}")


def _open_parquet(source: Source) -> Records:
    # The import takes long, and few traces are Parquet.
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    def damaged(error: Exception) -> TraceError:
        return TraceError(f"Trace {source.uri}: the Parquet file cannot be read: {error}.")

    try:
        file = ParquetFile(BytesIO(source.data))
        names = file.schema_arrow.names
    except (ArrowException, OSError, ValueError) as error:
        raise damaged(error) from None

    def read() -> Iterator[Located]:
        number = 0
        try:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
        except (ArrowException, OSError, OverflowError) as error:
            raise damaged(error) from None

    return Records(source, "parquet", dict.fromkeys(names), ",".join(names), read)


def _renamed(records: Records) -> Records:
    """Give columns the names that a format knows: `?rename=THEIRS:OURS,...`."""
    text = records.source.options["rename"]
    pairs = [pair.partition(":") for pair in text.split(",")]
    names = {theirs: ours for theirs, _, ours in pairs}
    if not all(theirs and ours for theirs, ours in names.items()):
        raise TraceError(
            f"Trace {records.source.uri}: rename={text}: expected YOUR_COLUMN:KNOWN_COLUMN,..."
        )
    for theirs in names:
        if theirs not in records.first:
            raise TraceError(
                f"Trace {records.source.uri}: rename={text}: the file has no column {theirs!r}; "
                f"it has {', '.join(records.first)}.{did_you_mean(theirs, records.first)}"
            )

    def rename(record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        return {names.get(name, name): value for name, value in record.items()}

    def read() -> Iterator[Located]:
        for where, record in records.read():
            yield where, rename(record)

    return replace(records, first=rename(dict(records.first)), read=read)
