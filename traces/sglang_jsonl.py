"""SGLang's autobench: a `prompt` or `messages` a line, with lengths and perhaps a time.

`prompt` is a text, token ids or turns. The unit of `timestamp` is not documented, so it is asked
for. Where a line names no output length, SGLang takes 256 tokens, and so does this.
"""

from dataclasses import replace

from traces.format import Format
from traces.prompt_text import OPTIONS
from traces.prompts import PromptColumns, load_prompts
from traces.records import Records
from traces.schema import Trace
from traces.time_unit import NO_TIMES, require_unit

OUTPUT_LENGTHS = ("output_len", "max_tokens", "max_completion_tokens", "completion_tokens")
TELLING = (*OUTPUT_LENGTHS, "prompt_len", "timestamp", "routing_key", "extra_request_body")
COLUMNS = PromptColumns(
    prompt=("prompt", "messages"),
    prompt_tokens=("prompt_len",),
    output_tokens=OUTPUT_LENGTHS,
    session="routing_key",
    default_output_tokens=256,
)


def _load(records: Records) -> Trace:
    if not records.has("timestamp"):
        return load_prompts(records, COLUMNS, format_name=FORMAT.name, unit=NO_TIMES)
    unit = require_unit(records.source, "timestamp", "SGLang's format does not define it")
    columns = replace(COLUMNS, arrival="timestamp")
    return load_prompts(records, columns, format_name=FORMAT.name, unit=unit)


FORMAT = Format(
    name="sglang",
    head='{"prompt": ... or "messages": [...], "output_len": ..., "prompt_len": ...}',
    matches=lambda records: (
        records.has_any(("prompt", "messages"))
        and (records.has("messages") or records.has_any(TELLING))
    ),
    load=_load,
    options=(*OPTIONS, "unit"),
)
