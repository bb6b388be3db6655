"""All trace formats, and how the one of a file is found."""

from scoot_ray.core.errors import TraceError
from traces import (
    azure_csv,
    bailian_jsonl,
    burstgpt_csv,
    mooncake_jsonl,
    processed_csv,
    scoot_jsonl,
)
from traces.format import Format
from traces.schema import Trace
from traces.source import Source
from traces.synthetic import SCHEME, make_synthetic

# In this order: Bailian's keys include Mooncake's.
FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT
    for module in (
        scoot_jsonl,
        azure_csv,
        processed_csv,
        burstgpt_csv,
        bailian_jsonl,
        mooncake_jsonl,
    )
}


def load_trace(uri: str) -> Trace:
    """Read a trace; its format is recognised by the first line.

    Args:
        uri: A local path, with options where the format has any (`file.jsonl?unit=ms`), or
            `synthetic:NAME?seed=0&num_requests=2000`.

    Raises:
        TraceError: If it cannot be read, has no known format, or a line is malformed.
    """
    if uri.startswith(SCHEME):
        return make_synthetic(uri)
    source = Source.read(uri)
    trace_format = detect_format(source)
    for option in source.options:
        if option not in trace_format.options:
            allowed = ", ".join(trace_format.options) or "none"
            raise TraceError(
                f"Trace {uri}: {option!r} is not an option of the {trace_format.name} format; "
                f"its options: {allowed}."
            )
    return trace_format.load(source)


def detect_format(source: Source) -> Format:
    """Return the format of a source.

    Raises:
        TraceError: Listing the first lines that are known, if this one is not.
    """
    for form in FORMATS.values():
        if form.matches(source):
            return form
    known = "\n".join(f"  {form.name}: {form.first_line}" for form in FORMATS.values())
    raise TraceError(
        f"Trace {source.uri}: the format is not known. Its first line is\n"
        f"  {source.first_line[:200]}\nExpected one of\n{known}"
    )
