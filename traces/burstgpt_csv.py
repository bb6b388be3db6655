"""BurstGPT: seconds from the first day's midnight; failed requests have no response tokens.

https://github.com/HPMLL/BurstGPT; version 2 adds a session, which is kept where it is given.
"""

from collections.abc import Mapping
from typing import Any

from traces.format import Format
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import label, number, token_count

COLUMNS = ("Timestamp", "Request tokens", "Response tokens")
UNIT = TimeUnit("s", "BurstGPT counts seconds from the first day's midnight")


def _load(records: Records) -> Trace:
    rows = read_rows(records.source, records.read(), _row)
    return build_trace(rows, format_name=FORMAT.name, unit=UNIT)


def _row(fields: Mapping[str, Any]) -> Row:
    arrival, prompt, output = (fields[column] for column in COLUMNS)
    session = label(fields.get("Session ID"))
    return Row(number(arrival), token_count(prompt), token_count(output), session)


FORMAT = Format(
    name="burstgpt",
    head="Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
    matches=lambda records: records.has(*COLUMNS),
    load=_load,
)
