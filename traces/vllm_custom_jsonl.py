"""vLLM bench `custom`: a `prompt` a line, an answer's length by option or as `output_tokens`."""

from traces.format import Format
from traces.prompt_text import OPTIONS
from traces.prompts import PromptColumns, load_prompts
from traces.records import Records
from traces.schema import Trace

COLUMNS = PromptColumns(prompt=("prompt",), output_tokens=("output_tokens",))


def _load(records: Records) -> Trace:
    return load_prompts(records, COLUMNS, format_name=FORMAT.name)


def _matches(records: Records) -> bool:
    # GuideLLM's rows may have a prompt, too, but as CSV or with names that vLLM does not know.
    is_other = records.has_any(("prompt_tokens_count", "input_tokens_count")) or records.has_any(
        ("output_tokens_count", "completion_tokens_count", "system_prompt", "system", "prefix")
    )
    return records.container == "json lines" and records.has("prompt") and not is_other


FORMAT = Format(
    name="vllm_custom",
    head='{"prompt": ...}',
    matches=_matches,
    load=_load,
    options=OPTIONS,
)
