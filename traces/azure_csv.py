"""Azure LLM inference dataset, raw (2023 code and conversation, 2024): date and time, tokens.

https://github.com/Azure/AzurePublicDataset
"""

from datetime import UTC, datetime

from traces.csv_table import has_columns, load_csv
from traces.format import Format
from traces.rows import Row, token_count
from traces.schema import Trace
from traces.source import Source

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


def _load(source: Source) -> Trace:
    return load_csv(source, _row, columns=COLUMNS, format_name=FORMAT.name, time_unit="datetime")


def _row(values: list[str]) -> Row:
    return Row(_seconds(values[0]), token_count(values[1]), token_count(values[2]))


def _seconds(text: str) -> float:
    # The files have seven fractional digits; fromisoformat() reads six and ignores the rest.
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


FORMAT = Format(
    name="azure",
    first_line=",".join(COLUMNS),
    matches=lambda source: has_columns(source, COLUMNS),
    load=_load,
)
