"""Request records as a table on the disk, for those who want to look at more than metrics."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scoot_ray.core.request import RequestRecord


def write_request_table(path: Path, records: Sequence[RequestRecord]) -> None:
    """Write one row per record and one column per field."""
    names = [field.name for field in fields(RequestRecord)]
    columns = {name: [getattr(record, name) for record in records] for name in names}
    pq.write_table(pa.table(columns), path)
