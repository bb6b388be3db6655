"""WEKA's agent traces: `id, t, in, out, hash_ids`, a request a line or nested in `requests`.

Seconds count from the start of each conversation, so when the conversations themselves began is
not known: `?start_gap_s=NUMBER` lets them begin that far apart. Hashes stand for 64 tokens (or
`block_size`) and mean the same text only within a conversation unless `hash_id_scope` is global.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traces.format import Format
from traces.options import number_option
from traces.records import Located, Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import NO_TIMES, TimeUnit
from traces.values import block_hashes, label, number, token_count

BLOCK_TOKENS = 64
REQUEST_KEYS = ("t", "in", "out")
# What a conversation says for all of its requests.
INHERITED = ("id", "block_size", "hash_id_scope")


def _load(records: Records) -> Trace:
    gap_s = number_option(records.source, "start_gap_s")
    starts: dict[str | None, float] = {}
    numbers: dict[tuple[str | None, int], int] = {}

    def row(fields: Mapping[str, Any]) -> Row:
        session = label(fields["id"])
        start_s = starts.setdefault(session, len(starts) * (gap_s or 0.0))
        scope = None if fields.get("hash_id_scope") == "global" else session
        hashes = block_hashes(fields.get("hash_ids") or [])
        arrival_s = start_s + number(fields["t"])
        return Row(
            arrival_s if gap_s else 0.0,
            token_count(fields["in"]),
            token_count(fields["out"]),
            session,
            tuple(numbers.setdefault((scope, value), len(numbers)) for value in hashes),
            token_count(fields.get("block_size") or BLOCK_TOKENS),
        )

    rows = read_rows(records.source, _requests(records.read()), row)
    return build_trace(rows, format_name=FORMAT.name, unit=_unit(gap_s), is_ordered=False)


def _unit(gap_s: float | None) -> TimeUnit:
    if gap_s:
        return TimeUnit("s", f"seconds within a conversation; they begin {gap_s:g} s apart, stated")
    reason = "times count from each conversation's own start; ?start_gap_s=NUMBER sets those"
    return TimeUnit(NO_TIMES.name, reason)


def _requests(records: Iterator[Located]) -> Iterator[Located]:
    """Yield the requests of conversations and, within them, of sub-agents, in their order."""
    stack = [records]
    while stack:
        where, record = next(stack[-1], ("", None))
        if not where:
            stack.pop()
        elif isinstance(record, dict) and isinstance(record.get("requests"), list):
            stack.append(_inner(where, record))
        else:
            yield where, record


def _inner(where: str, conversation: dict[str, Any]) -> Iterator[Located]:
    inherited = {key: conversation[key] for key in INHERITED if key in conversation}
    for index, request in enumerate(conversation["requests"], start=1):
        # A sub-agent's identifier is its own; its requests belong to the conversation.
        full = request | inherited if isinstance(request, dict) else request
        yield f"{where}, request {index}", full


FORMAT = Format(
    name="weka",
    head='{"id": ..., "requests": [{"t": ..., "in": ..., "out": ..., "hash_ids": [...]}]}',
    matches=lambda records: (
        records.has("id", *REQUEST_KEYS)
        or (records.has("id") and isinstance(records.first.get("requests"), list))
    ),
    load=_load,
    options=("start_gap_s",),
)
