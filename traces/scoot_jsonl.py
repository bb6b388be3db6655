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
from traces.json_lines import block_hashes, first_object, parse_object
from traces.rows import Row, build_trace, parse_rows, seconds, token_count
from traces.schema import Trace
from traces.source import Source

NAME = "scoot-trace"
VERSION = 1
SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3, "none": 1.0}


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


def _load(source: Source) -> Trace:
    header = first_object(source)
    unit = header.get("unit")
    if header.get("version") != VERSION or unit not in SECONDS_PER_UNIT:
        raise TraceError(
            f"Trace {source.uri}: expected a header with version {VERSION} and a unit out of "
            f"{', '.join(SECONDS_PER_UNIT)}; got {source.first_line[:120]}."
        )
    scale = SECONDS_PER_UNIT[unit]
    lines = islice(source.lines(), 1, None)
    rows = parse_rows(source, lines, lambda line: _row(parse_object(line), scale))
    return build_trace(source, rows, format_name=FORMAT.name, time_unit=unit)


def _row(fields: Mapping[str, Any], scale: float) -> Row:
    hashes = block_hashes(fields.get("prefix_hashes", []))
    block_tokens = token_count(fields.get("block_tokens", 0))
    if hashes and not block_tokens:
        raise ValueError("prefix_hashes need block_tokens, the tokens that each stands for")
    return Row(
        seconds(fields["arrival"]) * scale,
        token_count(fields["prompt_tokens"]),
        token_count(fields["output_tokens"]),
        _text(fields, "session"),
        hashes,
        block_tokens,
        _text(fields, "text"),
    )


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"expected {name} to be text, got {value!r}")
    return value


FORMAT = Format(
    name="scoot",
    first_line=f'{{"format": "{NAME}", "version": {VERSION}, "unit": "s"}}',
    matches=lambda source: first_object(source).get("format") == NAME,
    load=_load,
)
