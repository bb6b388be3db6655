"""The JSON of the SCOOT paper's client: an array of prompts with answers or their lengths."""

from traces.format import Format
from traces.prompt_text import OPTIONS
from traces.prompts import PromptColumns, load_prompts
from traces.records import Records
from traces.schema import Trace

COLUMNS = PromptColumns(
    prompt=("prompt",),
    prompt_tokens=("input_len",),
    output_tokens=("output_len",),
    response=("response",),
)


def _load(records: Records) -> Trace:
    return load_prompts(records, COLUMNS, format_name=FORMAT.name)


FORMAT = Format(
    name="scoot_prompts",
    head='[{"prompt": ..., "response": ... or "output_len": ..., "input_len": ...}]',
    matches=lambda records: (
        records.container == "json"
        and records.has("prompt")
        and records.has_any(("response", "output_len"))
    ),
    load=_load,
    options=OPTIONS,
)
