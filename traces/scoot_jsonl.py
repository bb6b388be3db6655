"""SCOOT-Ray's own format: a header line with the unit, then one request per line.

    {"format": "scoot-trace", "version": 1, "unit": "s"}
    {"arrival": 0.0, "prompt_tokens": 374, "output_tokens": 44}

A line may also hold `session`, `prefix_hashes` with `block_tokens`, and `text`. The unit is "s",
"ms", or "none" when the arrivals are made up.
"""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request
from traces.format import Format
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import block_hashes, number, text_or_none, token_count

NAME = "scoot-trace"
VERSION = 1
UNITS = ("s", "ms", "none")


def dump_trace(trace: Trace) -> str:
    """Write a trace in this format."""
    unit = "none" if trace.time_unit == "none" else "s"
    header = {"format": NAME, "version": VERSION, "unit": unit}
    lines = [header, *map(_fields, trace.requests)]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _fields(request: Request) -> dict[str, Any]:
    optional: dict[str, Any] = {
        "session": request.session,
        "prefix_hashes": list(request.prefix_hashes),
        "block_tokens": request.block_tokens,
        "text": request.text,
    }
    return {
        "arrival": request.arrival_s,
        "prompt_tokens": request.prompt_tokens,
        "output_tokens": request.output_tokens,
    } | {name: value for name, value in optional.items() if value not in (None, [], 0)}


def _load(records: Records) -> Trace:
    source, header = records.source, records.first
    unit = header.get("unit")
    if header.get("version") != VERSION or unit not in UNITS:
        raise TraceError(
            f"Trace {source.uri}: expected a header with version {VERSION} and a unit out of "
            f"{', '.join(UNITS)}; got {records.head[:120]}."
        )
    rows = read_rows(source, islice(records.read(), 1, None), _row)
    return build_trace(rows, format_name=FORMAT.name, unit=TimeUnit(unit, "the header says so"))


def _row(fields: Mapping[str, Any]) -> Row:
    hashes = block_hashes(fields.get("prefix_hashes", []))
    block_tokens = token_count(fields.get("block_tokens", 0))
    if hashes and not block_tokens:
        raise ValueError("prefix_hashes need block_tokens, the tokens that each stands for")
    return Row(
        number(fields["arrival"]),
        token_count(fields["prompt_tokens"]),
        token_count(fields["output_tokens"]),
        text_or_none(fields, "session"),
        hashes,
        block_tokens,
        text_or_none(fields, "text"),
    )


FORMAT = Format(
    name="scoot",
    head=f'{{"format": "{NAME}", "version": {VERSION}, "unit": "s"}}',
    matches=lambda records: records.first.get("format") == NAME,
    load=_load,
)
