"""GuideLLM's data sets: texts, or lengths alone, under any of the column names that it knows.

https://github.com/vllm-project/guidellm, `data/preprocessors/mappers.py`.
"""

from traces.format import Format
from traces.prompt_text import OPTIONS
from traces.prompts import PromptColumns, load_prompts
from traces.records import Records
from traces.schema import Trace

COLUMNS = PromptColumns(
    prompt=(
        "prompt", "instruction", "question", "input", "context", "content", "conversation",
        "turn", "text",
    ),
    prompt_tokens=("prompt_tokens_count", "input_tokens_count"),
    output_tokens=("output_tokens_count", "completion_tokens_count"),
    prefix=("system_prompt", "system", "prefix"),
)  # fmt: skip


def _load(records: Records) -> Trace:
    return load_prompts(records, COLUMNS, format_name=FORMAT.name)


def _matches(records: Records) -> bool:
    lengths = (*COLUMNS.prompt_tokens, *COLUMNS.output_tokens)
    return records.has_any(lengths) or records.has_any(tuple(COLUMNS.prompt))


FORMAT = Format(
    name="guidellm",
    head="prompt,prompt_tokens_count,output_tokens_count (CSV, JSON lines, ...; also question, "
    "text, ... for prompt)",
    matches=_matches,
    load=_load,
    options=OPTIONS,
)
