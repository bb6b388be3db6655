"""Qwen-Bailian: seconds, blocks of 16 tokens, chats that continue a parent chat.

https://github.com/alibaba-edu/qwen-bailian-usagetraces-anon
"""

from collections.abc import Mapping
from typing import Any

from traces.format import Format
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import block_hashes, label, number, token_count

BLOCK_TOKENS = 16
KEYS = ("chat_id", "parent_chat_id", "timestamp", "input_length", "output_length", "hash_ids")
UNIT = TimeUnit("s", "Bailian counts seconds, told from Mooncake by its chat_id")


def _load(records: Records) -> Trace:
    roots: dict[str | None, str | None] = {}

    def row(fields: Mapping[str, Any]) -> Row:
        chat, parent = label(fields["chat_id"]), label(fields["parent_chat_id"])
        # The parent of a root is -1; a parent before the file's start counts as one, too.
        session = roots.get(parent, chat)
        roots[chat] = session
        return Row(
            number(fields["timestamp"]),
            token_count(fields["input_length"]),
            token_count(fields["output_length"]),
            session,
            block_hashes(fields["hash_ids"]),
            BLOCK_TOKENS,
        )

    rows = read_rows(records.source, records.read(), row)
    return build_trace(rows, format_name=FORMAT.name, unit=UNIT)


FORMAT = Format(
    name="bailian",
    head='{"chat_id": ..., "parent_chat_id": ..., "timestamp": ..., "input_length": ..., '
    '"output_length": ..., "hash_ids": [...]}',
    matches=lambda records: records.has(*KEYS),
    load=_load,
)
