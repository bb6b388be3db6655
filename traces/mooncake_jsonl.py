"""Mooncake: `timestamp, input_length, output_length, hash_ids`, in milliseconds.

https://github.com/kvcache-ai/Mooncake; whole milliseconds and one identifier for every 512 tokens
begun. GuideLLM writes the same fields in seconds, AIPerf in milliseconds, so a file that does not
look like Mooncake's own in both respects must say its unit: `file.jsonl?unit=s`.
"""

from collections.abc import Sequence
from typing import Any

from scoot_ray.core.errors import TraceError
from traces.format import Format
from traces.json_lines import block_hashes, first_object, parse_object
from traces.rows import Row, build_trace, parse_rows, seconds, token_count
from traces.schema import Trace
from traces.source import Source

BLOCK_TOKENS = 512
KEYS = ("timestamp", "input_length", "output_length")
SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3}
# A file that counts whole seconds and spans less than this many (under three hours) is not
# mistaken for one that counts milliseconds.
MIN_SPAN_MS = 10_000


def _load(source: Source) -> Trace:
    rows = list(parse_rows(source, source.lines(), _row))
    unit = source.options.get("unit") or _detect_unit(source, rows)
    if unit not in SECONDS_PER_UNIT:
        raise TraceError(f"Trace {source.uri}: unit={unit}: expected unit=s or unit=ms.")
    block_tokens = _block_tokens(source, rows)
    scale = SECONDS_PER_UNIT[unit]
    scaled = (
        row._replace(arrival_s=row.arrival_s * scale, block_tokens=block_tokens) for row in rows
    )
    return build_trace(source, scaled, format_name=FORMAT.name, time_unit=unit)


def _row(line: str) -> Row:
    """Read one line, its arrival in the file's own unit."""
    fields: dict[str, Any] = parse_object(line)
    return Row(
        seconds(fields["timestamp"]),
        token_count(fields["input_length"]),
        token_count(fields["output_length"]),
        prefix_hashes=block_hashes(fields.get("hash_ids", [])),
    )


def _detect_unit(source: Source, rows: Sequence[Row]) -> str:
    times = [row.arrival_s for row in rows]
    is_whole = all(time.is_integer() for time in times)
    if is_whole and max(times) - min(times) >= MIN_SPAN_MS and _has_blocks_of(BLOCK_TOKENS, rows):
        return "ms"
    raise TraceError(
        f"Trace {source.uri}: the unit of `timestamp` is not clear (Mooncake and AIPerf write "
        f"milliseconds, GuideLLM seconds). Write {source.uri}?unit=ms or {source.uri}?unit=s."
    )


def _block_tokens(source: Source, rows: Sequence[Row]) -> int:
    stated = source.options.get("block_tokens")
    if stated is not None:
        if not (stated.isdecimal() and int(stated) > 0):
            raise TraceError(
                f"Trace {source.uri}: block_tokens={stated}: expected a whole number above 0."
            )
        return int(stated)
    if any(row.prefix_hashes for row in rows) and not _has_blocks_of(BLOCK_TOKENS, rows):
        raise TraceError(
            f"Trace {source.uri}: `hash_ids` do not stand for {BLOCK_TOKENS} tokens each, as "
            "Mooncake's do; state how many in the URI: ?unit=...&block_tokens=NUMBER."
        )
    return BLOCK_TOKENS


def _has_blocks_of(num_tokens: int, rows: Sequence[Row]) -> bool:
    return all(len(row.prefix_hashes) == -(-row.prompt_tokens // num_tokens) for row in rows)


FORMAT = Format(
    name="mooncake",
    first_line='{"timestamp": ..., "input_length": ..., "output_length": ..., "hash_ids": [...]}',
    matches=lambda source: set(KEYS) <= set(first_object(source)),
    load=_load,
    options=("unit", "block_tokens"),
)
