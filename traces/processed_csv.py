"""The processed traces of Splitwise and Vidur: arrival in seconds, prompt and output tokens."""

from collections.abc import Mapping
from typing import Any

from traces.format import Format
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import number, token_count

COLUMNS = ("arrived_at", "num_prefill_tokens", "num_decode_tokens")
UNIT = TimeUnit("s", "processed traces are in seconds")


def _load(records: Records) -> Trace:
    rows = read_rows(records.source, records.read(), _row)
    return build_trace(rows, format_name=FORMAT.name, unit=UNIT)


def _row(fields: Mapping[str, Any]) -> Row:
    arrival, prompt, output = (fields[column] for column in COLUMNS)
    return Row(number(arrival), token_count(prompt), token_count(output))


FORMAT = Format(
    name="processed",
    head=",".join(COLUMNS),
    matches=lambda records: records.has(*COLUMNS),
    load=_load,
)
