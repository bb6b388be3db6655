"""AIPerf's fixed schedule where it differs from Mooncake: texts, messages, answers of any length.

Its times are milliseconds. A line with `input_text`, or with `messages` and `output_length`, is
AIPerf's alone; one with nothing but `timestamp, input_length` is asked for its unit.
"""

from traces.format import Format
from traces.prompt_text import OPTIONS
from traces.prompts import PromptColumns, load_prompts
from traces.records import Records
from traces.schema import Trace
from traces.time_unit import TimeUnit, require_unit, stated_unit

COLUMNS = PromptColumns(
    prompt=("input_text", "messages"),
    prompt_tokens=("input_length",),
    output_tokens=("output_length",),
    arrival="timestamp",
    session="session_id",
    hashes="hash_ids",
)
DOCUMENTED = TimeUnit("ms", "AIPerf writes milliseconds, told by its input_text or messages")


def _load(records: Records) -> Trace:
    unit = stated_unit(records.source) or (DOCUMENTED if _is_aiperf_only(records) else None)
    why = "AIPerf writes milliseconds, others seconds"
    unit = unit or require_unit(records.source, "timestamp", why)
    return load_prompts(records, COLUMNS, format_name=FORMAT.name, unit=unit)


def _is_aiperf_only(records: Records) -> bool:
    return records.has("input_text") or records.has("messages", "output_length")


def _matches(records: Records) -> bool:
    has_input_only = records.has("input_length") and not records.has("output_length")
    return records.has("timestamp") and (has_input_only or _is_aiperf_only(records))


FORMAT = Format(
    name="aiperf",
    head='{"timestamp": ..., "input_text": ... or "input_length": ..., "output_length": ...}',
    matches=_matches,
    load=_load,
    options=(*OPTIONS, "unit"),
)
