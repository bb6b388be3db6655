"""The processed traces of Splitwise and Vidur: arrival in seconds, prompt and output tokens."""

from traces.csv_table import has_columns, load_csv
from traces.format import Format
from traces.rows import Row, seconds, token_count
from traces.schema import Trace
from traces.source import Source

COLUMNS = ("arrived_at", "num_prefill_tokens", "num_decode_tokens")


def _load(source: Source) -> Trace:
    return load_csv(source, _row, columns=COLUMNS, format_name=FORMAT.name, time_unit="s")


def _row(values: list[str]) -> Row:
    return Row(seconds(values[0]), token_count(values[1]), token_count(values[2]))


FORMAT = Format(
    name="processed",
    first_line=",".join(COLUMNS),
    matches=lambda source: has_columns(source, COLUMNS),
    load=_load,
)
