"""Qwen-Bailian: seconds, blocks of 16 tokens, chats that continue a parent chat.

https://github.com/alibaba-edu/qwen-bailian-usagetraces-anon
"""

from typing import Any

from traces.format import Format
from traces.json_lines import block_hashes, first_object, parse_object
from traces.rows import Row, build_trace, parse_rows, seconds, token_count
from traces.schema import Trace
from traces.source import Source

BLOCK_TOKENS = 16
KEYS = ("chat_id", "parent_chat_id", "timestamp", "input_length", "output_length", "hash_ids")


def _load(source: Source) -> Trace:
    roots: dict[Any, str] = {}

    def row(line: str) -> Row:
        fields = parse_object(line)
        # The parent of a root is -1; a parent before the file's start counts as one, too.
        session = roots.get(str(fields["parent_chat_id"]), str(fields["chat_id"]))
        roots[str(fields["chat_id"])] = session
        return Row(
            seconds(fields["timestamp"]),
            token_count(fields["input_length"]),
            token_count(fields["output_length"]),
            session,
            block_hashes(fields["hash_ids"]),
            BLOCK_TOKENS,
        )

    rows = parse_rows(source, source.lines(), row)
    return build_trace(source, rows, format_name=FORMAT.name, time_unit="s")


FORMAT = Format(
    name="bailian",
    first_line='{"chat_id": ..., "parent_chat_id": ..., "timestamp": ..., "input_length": ..., '
    '"output_length": ..., "hash_ids": [...]}',
    matches=lambda source: set(KEYS) <= set(first_object(source)),
    load=_load,
)
