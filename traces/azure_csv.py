"""Azure LLM inference dataset, raw (2023 code and conversation, 2024): date and time, tokens.

https://github.com/Azure/AzurePublicDataset
"""

from collections.abc import Mapping
from typing import Any

from traces.format import Format
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import date_time, token_count

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
UNIT = TimeUnit("datetime", "Azure writes dates and times; without a zone they are taken for UTC")


def _load(records: Records) -> Trace:
    rows = read_rows(records.source, records.read(), azure_row)
    return build_trace(rows, format_name=FORMAT.name, unit=UNIT)


def azure_row(fields: Mapping[str, Any]) -> Row:
    """Read the columns that all Azure traces have."""
    return Row(
        date_time(fields["TIMESTAMP"]),
        token_count(fields["ContextTokens"]),
        token_count(fields["GeneratedTokens"]),
    )


FORMAT = Format(
    name="azure",
    head=",".join(COLUMNS),
    matches=lambda records: records.has(*COLUMNS),
    load=_load,
)
