"""Azure multimodal inference trace of 2025: as Azure's others, with a count of images.

https://github.com/Azure/AzurePublicDataset. Requests with images are left out and counted: their
images are not in the trace, and token ids alone are not the same work for an engine.
"""

from collections.abc import Mapping
from typing import Any

from traces.azure_csv import COLUMNS, UNIT, azure_row
from traces.format import Format
from traces.records import Records
from traces.rows import Row, Unusable, build_trace, read_rows
from traces.schema import Trace
from traces.values import token_count

IMAGES = "NumImages"


def _load(records: Records) -> Trace:
    rows = read_rows(records.source, records.read(), _row)
    return build_trace(rows, format_name=FORMAT.name, unit=UNIT)


def _row(fields: Mapping[str, Any]) -> Row:
    row = azure_row(fields)
    if token_count(fields[IMAGES]):
        raise Unusable("with images, which cannot be replayed")
    return row


FORMAT = Format(
    name="azure_lmm",
    head="TIMESTAMP,NumImages,ContextTokens,GeneratedTokens",
    matches=lambda records: records.has(IMAGES, *COLUMNS),
    load=_load,
)
