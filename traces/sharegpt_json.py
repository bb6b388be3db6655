"""ShareGPT: conversations; the first message is the prompt and the second the answer.

As in the benchmark scripts that made it common, short exchanges (under 4 tokens on either side)
and long ones (prompts over 1,024 tokens, over 2,048 in all) are left out; `?filter=none` keeps
every one that has two turns.
"""

from collections.abc import Mapping
from typing import Any

from scoot_ray.core.errors import TraceError
from traces.format import Format
from traces.prompt_text import BLOCK_TOKENS, PromptReader, text_of
from traces.records import Records
from traces.rows import Row, Unusable, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import NO_TIMES

MIN_TOKENS, MAX_PROMPT_TOKENS, MAX_TOTAL_TOKENS = 4, 1024, 2048
FILTERS = ("reference", "none")


def _load(records: Records) -> Trace:
    source = records.source
    wanted = source.options.get("filter", "reference")
    if wanted not in FILTERS:
        raise TraceError(f"Trace {source.uri}: filter={wanted}: expected reference or none.")
    reader = PromptReader.of(source)

    def row(fields: Mapping[str, Any]) -> Row:
        turns = fields["conversations"]
        if not isinstance(turns, list):
            raise ValueError("expected conversations to be a list")
        if len(turns) < 2:
            raise Unusable("conversations of fewer than two turns")
        prompt = reader.read(text_of(turns[0]))
        output = reader.count(text_of(turns[1]))
        if wanted == "reference":
            _require_reference(prompt.tokens, output)
        hashes = prompt.prefix_hashes
        return Row(0.0, prompt.tokens, output, None, hashes, BLOCK_TOKENS, prompt.text)

    rows = read_rows(source, records.read(), row)
    return build_trace(rows, format_name=FORMAT.name, unit=NO_TIMES, notes=reader.notes)


def _require_reference(prompt: int, output: int) -> None:
    if min(prompt, output) < MIN_TOKENS:
        raise Unusable(f"exchanges with under {MIN_TOKENS} tokens on a side (?filter=none)")
    if prompt > MAX_PROMPT_TOKENS or prompt + output > MAX_TOTAL_TOKENS:
        raise Unusable(
            f"prompts over {MAX_PROMPT_TOKENS} tokens or exchanges over {MAX_TOTAL_TOKENS} "
            "(?filter=none)"
        )


FORMAT = Format(
    name="sharegpt",
    head='[{"id": ..., "conversations": [{"from": ..., "value": ...}, ...]}]',
    matches=lambda records: records.has("conversations"),
    load=_load,
    options=("bytes_per_token", "filter"),
)
