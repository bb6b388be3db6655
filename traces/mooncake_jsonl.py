"""`timestamp, input_length, output_length`, perhaps with `hash_ids`: Mooncake and its heirs.

Mooncake (https://github.com/kvcache-ai/Mooncake) counts whole milliseconds and names one
identifier for every 512 tokens begun. The same names hold milliseconds in AIPerf, seconds in
GuideLLM (`trace_synthetic` and `mooncake`, also as CSV and Parquet), and either in vLLM's
`timed-trace`. So a file that does not look like Mooncake's own in both respects must say its
unit: `file.jsonl?unit=s`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from scoot_ray.core.errors import TraceError
from traces.format import Format
from traces.options import tokens_option
from traces.records import Records
from traces.rows import Row, Rows, build_trace, read_rows, require_usable
from traces.schema import Trace
from traces.source import Source
from traces.time_unit import TimeUnit, require_unit, stated_unit
from traces.values import block_hashes, number, token_count

BLOCK_TOKENS = 512
KEYS = ("timestamp", "input_length", "output_length")
BLOCK_SIZE_KEY = "hash_id_block_size"
# A file that counts whole seconds is not mistaken for one that counts milliseconds: if it were in
# seconds, it would last hours and have a request in ten seconds at most, which is no load to test.
MIN_SPAN_MS = 10_000
MAX_REQUESTS_PER_MS = 0.1
DETECTED = TimeUnit(
    "ms", "Mooncake's: whole, a hash for 512 tokens, and too few a second to be seconds"
)


def _load(records: Records) -> Trace:
    source = records.source
    rows = read_rows(source, records.read(), _row)
    require_usable(rows, FORMAT.name)
    unit = stated_unit(source) or _detect_unit(source, rows)
    block_tokens = _block_tokens(source, [row for _, row in rows.usable])
    if block_tokens is not None:
        rows.usable = [
            (where, row._replace(block_tokens=block_tokens)) for where, row in rows.usable
        ]
    return build_trace(rows, format_name=FORMAT.name, unit=unit)


def _row(fields: Mapping[str, Any]) -> Row:
    """Read one record, its arrival in the file's own unit."""
    return Row(
        number(fields["timestamp"]),
        token_count(fields["input_length"]),
        token_count(fields["output_length"]),
        # Parquet and CSV hold an absent list as null or nothing.
        prefix_hashes=block_hashes(fields.get("hash_ids") or []),
        block_tokens=token_count(fields.get(BLOCK_SIZE_KEY) or 0),
    )


def _detect_unit(source: Source, rows: Rows) -> TimeUnit:
    usable = [row for _, row in rows.usable]
    times = [row.arrival for row in usable]
    span = max(times) - min(times)
    is_whole = all(time.is_integer() for time in times)
    is_sparse = span >= MIN_SPAN_MS and len(times) <= MAX_REQUESTS_PER_MS * span
    if is_whole and is_sparse and _has_blocks_of(BLOCK_TOKENS, usable):
        return DETECTED
    why = "Mooncake and AIPerf write milliseconds, GuideLLM seconds, vLLM either"
    return require_unit(source, "timestamp", why)


def _block_tokens(source: Source, rows: Sequence[Row]) -> int | None:
    """Return how many tokens a hash stands for; None where the rows themselves say it."""
    stated = tokens_option(source, "block_tokens")
    with_hashes = [row for row in rows if row.prefix_hashes]
    if stated is not None:
        return stated
    if with_hashes and all(row.block_tokens for row in with_hashes):
        return None
    if with_hashes and not _has_blocks_of(BLOCK_TOKENS, rows):
        raise TraceError(
            f"Trace {source.uri}: `hash_ids` do not stand for {BLOCK_TOKENS} tokens each, as "
            f"Mooncake's do; state how many: {source.with_options(block_tokens='NUMBER')}."
        )
    return BLOCK_TOKENS


def _has_blocks_of(num_tokens: int, rows: Sequence[Row]) -> bool:
    return all(len(row.prefix_hashes) == -(-row.prompt_tokens // num_tokens) for row in rows)


FORMAT = Format(
    name="mooncake",
    head='{"timestamp": ..., "input_length": ..., "output_length": ..., "hash_ids": [...]}, '
    "or a CSV or Parquet file with these columns",
    matches=lambda records: records.has(*KEYS),
    load=_load,
    options=("unit", "block_tokens"),
)
