"""BurstGPT: seconds from the first day's midnight; failed requests have no response tokens.

https://github.com/HPMLL/BurstGPT; version 2 adds a session, which is kept where it is given.
"""

from traces.csv_table import has_columns, header_of, load_csv
from traces.format import Format
from traces.rows import Row, seconds, token_count
from traces.schema import Trace
from traces.source import Source

COLUMNS = ("Timestamp", "Request tokens", "Response tokens")
SESSION_COLUMN = "Session ID"


def _load(source: Source) -> Trace:
    sessions = (SESSION_COLUMN,) if SESSION_COLUMN in header_of(source) else ()
    columns = COLUMNS + sessions
    return load_csv(source, _row, columns=columns, format_name=FORMAT.name, time_unit="s")


def _row(values: list[str]) -> Row:
    session = values[3].strip() or None if len(values) > 3 else None
    return Row(seconds(values[0]), token_count(values[1]), token_count(values[2]), session)


FORMAT = Format(
    name="burstgpt",
    first_line="Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
    matches=lambda source: has_columns(source, COLUMNS),
    load=_load,
)
