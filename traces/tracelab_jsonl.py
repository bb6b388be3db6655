"""TraceLab: rounds of coding agents, with the tokens that each shares with the round before.

https://github.com/kubernetes-sigs/inference-perf reads it so: `session_id, round_index,
input_tokens_total, output_tokens, prefix_tokens`. There are no arrival times.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

from traces.format import Format
from traces.records import Located, Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import NO_TIMES
from traces.values import label, number, token_count

BLOCK_TOKENS = 16
KEYS = ("session_id", "round_index", "input_tokens_total", "output_tokens")


def _load(records: Records) -> Trace:
    new_hash = count()
    previous: dict[str | None, tuple[int, ...]] = {}

    def row(fields: Mapping[str, Any]) -> Row:
        session = label(fields["session_id"])
        prompt, output = (token_count(fields[key]) for key in KEYS[2:])
        shared = token_count(fields.get("prefix_tokens") or 0)
        if shared > prompt:
            raise ValueError(f"prefix_tokens {shared} are more than input_tokens_total {prompt}")
        hashes = previous.get(session, ())[: shared // BLOCK_TOKENS]
        hashes += tuple(next(new_hash) for _ in range(len(hashes), prompt // BLOCK_TOKENS))
        previous[session] = hashes
        return Row(0.0, prompt, output, session, hashes, BLOCK_TOKENS)

    # Round by round: a session's rounds may come in any order, and each needs the one before.
    rows = read_rows(records.source, sorted(records.read(), key=_round_index), row)
    return build_trace(rows, format_name=FORMAT.name, unit=NO_TIMES)


def _round_index(located: Located) -> float:
    fields = located[1]
    try:
        return number(fields["round_index"])
    except (KeyError, TypeError, ValueError):  # a malformed row; it is reported when it is read
        return 0.0


FORMAT = Format(
    name="tracelab",
    head='{"session_id": ..., "round_index": ..., "input_tokens_total": ..., '
    '"output_tokens": ..., "prefix_tokens": ...}',
    matches=lambda records: records.has(*KEYS),
    load=_load,
)
