"""What the formats of prompts without arrival times have in common: one loader behind each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traces.options import require_tokens
from traces.prompt_text import BLOCK_TOKENS, PromptReader, first_of
from traces.records import Records
from traces.rows import Row, build_trace, read_rows
from traces.schema import Trace
from traces.time_unit import NO_TIMES, TimeUnit
from traces.values import block_hashes, label, number

HASH_BLOCK_TOKENS = 512


@dataclass(frozen=True)
class PromptColumns:
    """Name a format's fields; of several names the first that holds something is taken.

    Attributes:
        prompt: Texts, token ids or messages.
        prompt_tokens: Lengths of prompts.
        output_tokens: Lengths of answers.
        response: Answers as text, counted where no length is given.
        prefix: Texts that stand before the prompt.
        arrival: Time of arrival.
        session: Conversation.
        hashes: Identifiers of the prompt's blocks, of as many tokens as Mooncake's.
        default_output_tokens: What the format's own reader takes where no length is given.
    """

    prompt: Sequence[str]
    prompt_tokens: Sequence[str] = ()
    output_tokens: Sequence[str] = ()
    response: Sequence[str] = ()
    prefix: Sequence[str] = ()
    arrival: str | None = None
    session: str | None = None
    hashes: str | None = None
    default_output_tokens: int | None = None


def load_prompts(
    records: Records, columns: PromptColumns, *, format_name: str, unit: TimeUnit = NO_TIMES
) -> Trace:
    """Read prompts; without times they all arrive at 0 and keep their order.

    Raises:
        TraceError: If an answer's length is neither in the file nor stated in the URI.
    """
    source, reader = records.source, PromptReader.of(records.source)
    if reader.output_tokens is None:
        reader.output_tokens = columns.default_output_tokens

    def row(fields: Mapping[str, Any]) -> Row:
        prompt_value = _with_prefix(fields, columns)
        stated = first_of(fields, columns.prompt_tokens)
        prompt = reader.read("" if prompt_value is None else prompt_value, stated)
        output = reader.answer(
            first_of(fields, columns.output_tokens), first_of(fields, columns.response)
        )
        if output is None:
            output = require_tokens(source, "output_tokens", "it does not say how long answers are")
        arrival = number(fields[columns.arrival]) if columns.arrival else 0.0
        session = label(fields.get(columns.session)) if columns.session else None
        hashes, block_tokens = prompt.prefix_hashes, BLOCK_TOKENS
        if columns.hashes and fields.get(columns.hashes):
            hashes, block_tokens = block_hashes(fields[columns.hashes]), HASH_BLOCK_TOKENS
        text = prompt.text or None
        return Row(arrival, prompt.tokens, output, session, hashes, block_tokens, text)

    rows = read_rows(source, records.read(), row)
    return build_trace(rows, format_name=format_name, unit=unit, notes=reader.notes)


def _with_prefix(fields: Mapping[str, Any], columns: PromptColumns) -> Any:
    """Return the prompt, after its prefix where there is one.

    Raises:
        KeyError: If there is neither a prompt nor a length to make one of.
    """
    value = first_of(fields, columns.prompt)
    if value is None and first_of(fields, columns.prompt_tokens) is None:
        raise KeyError(" or ".join(columns.prompt))
    prefix = first_of(fields, columns.prefix)
    return value if prefix is None or value is None else [prefix, value]
