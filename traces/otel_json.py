"""OpenTelemetry spans of LLM calls: OTLP as JSON, or spans with plain attributes, agents' too.

Token counts are read under the names of the GenAI conventions, their older form, or OpenInference
(https://opentelemetry.io/docs/specs/semconv/gen-ai, https://arize-ai.github.io/openinference).
Spans of tools and agents are left out and counted: an agent's sums would count calls twice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traces.format import Format
from traces.prompt_text import first_of
from traces.records import Located, Records
from traces.rows import Row, Unusable, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import TimeUnit
from traces.values import date_time, label, number, token_count

PROMPT_TOKENS = (
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
)  # fmt: skip
OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
)  # fmt: skip
SESSIONS = ("gen_ai.conversation.id", "session.id")
TRACE_IDS = ("traceId", "trace_id")
NO_CALLS = "spans that are no LLM calls with token counts"
LLM_OPERATIONS = ("chat", "text_completion", "generate_content")
# The lists in which spans are nested, from the outside in.
NESTS = ("resourceSpans", "scopeSpans", "spans")
START_NS, START_DATE = "startTimeUnixNano", "start_time"
UNIT_NS = TimeUnit("ns", f"the field is called {START_NS}")
UNIT_DATE = TimeUnit("datetime", f"{START_DATE} holds dates and times")


def _load(records: Records) -> Trace:
    first_span = next((span for _, span in _spans(records.read()) if isinstance(span, dict)), {})
    is_ns = START_NS in first_span

    def row(span: Mapping[str, Any]) -> Row:
        prompt, output, session = _call(span)
        start = number(span[START_NS]) if is_ns else date_time(span[START_DATE])
        return Row(start, prompt, output, session)

    rows = read_rows(records.source, _spans(records.read()), row)
    unit = UNIT_NS if is_ns else UNIT_DATE
    # Exporters write a span as it ends, and trace by trace.
    return build_trace(rows, format_name=FORMAT.name, unit=unit, is_ordered=False)


def _spans(records: Iterator[Located]) -> Iterator[Located]:
    """Yield the spans of a document, one after the other."""
    stack = [records]
    while stack:
        where, record = next(stack[-1], ("", None))
        nest = _nest(record)
        if not where:
            stack.pop()
        elif nest is not None:
            stack.append((f"{where}, {index}", item) for index, item in enumerate(nest, start=1))
        else:
            yield where, record


def _nest(record: Any) -> list[Any] | None:
    if not isinstance(record, dict):
        return None
    return next((record[key] for key in NESTS if isinstance(record.get(key), list)), None)


def _call(span: Mapping[str, Any]) -> tuple[int, int, str | None]:
    """Return prompt tokens, output tokens and session of an LLM call."""
    attributes = _attributes(span.get("attributes"))
    operation = attributes.get("gen_ai.operation.name", LLM_OPERATIONS[0])
    prompt, output = first_of(attributes, PROMPT_TOKENS), first_of(attributes, OUTPUT_TOKENS)
    if operation not in LLM_OPERATIONS or prompt is None:
        raise Unusable(NO_CALLS)
    session = label(first_of(attributes, SESSIONS) or first_of(span, TRACE_IDS))
    return token_count(prompt), token_count(output or 0), session


def _attributes(value: Any) -> Mapping[str, Any]:
    """Read attributes, plain or as OTLP's list of keys with typed values."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        raise Unusable(NO_CALLS)
    pairs = [item for item in value if isinstance(item, dict) and isinstance(item.get("key"), str)]
    return {item["key"]: _any_value(item.get("value")) for item in pairs}


def _any_value(value: Any) -> Any:
    return next(iter(value.values()), None) if isinstance(value, dict) else value


FORMAT = Format(
    name="otel",
    head='{"resourceSpans": [...]}, or {"trace_id": ..., "spans": [...]}',
    matches=lambda records: (
        records.has_any(("resourceSpans", "spans"))
        or (records.has("attributes") and records.has_any((START_NS, START_DATE)))
    ),
    load=_load,
)
