"""All trace formats, and how the one of a file is found."""

from scoot_ray.core.errors import TraceError, did_you_mean
from traces import (
    aiperf_jsonl,
    azure_csv,
    azure_lmm_csv,
    bailian_jsonl,
    burstgpt_csv,
    guidellm_rows,
    mooncake_jsonl,
    otel_json,
    processed_csv,
    scoot_jsonl,
    scoot_prompts_json,
    sglang_jsonl,
    sharegpt_json,
    slo_guard_csv,
    tracelab_jsonl,
    vllm_custom_jsonl,
    weka_jsonl,
)
from traces.format import Format
from traces.records import Records, open_records
from traces.schema import Trace
from traces.source import Source
from traces.synthetic import SCHEME, make_synthetic

# The first that matches is taken: Azure's multimodal columns include its others, Bailian's keys
# Mooncake's, and a bare prompt is what the last ones have in common.
FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT
    for module in (
        scoot_jsonl,
        azure_lmm_csv,
        azure_csv,
        processed_csv,
        burstgpt_csv,
        slo_guard_csv,
        bailian_jsonl,
        aiperf_jsonl,
        mooncake_jsonl,
        weka_jsonl,
        tracelab_jsonl,
        otel_json,
        sharegpt_json,
        scoot_prompts_json,
        sglang_jsonl,
        vllm_custom_jsonl,
        guidellm_rows,
    )
}
# What any file may state, besides its format's own options.
COMMON_OPTIONS = ("format", "rename", "order")


def load_trace(uri: str) -> Trace:
    """Read a trace; its format is recognised by its columns, or by the first object's keys.

    Args:
        uri: A local path, with options where they are needed (`file.jsonl?unit=ms`), or
            `synthetic:NAME?seed=0&num_requests=2000`. Any file takes `format=NAME`,
            `rename=YOUR_COLUMN:KNOWN_COLUMN,...` and `order=any`.

    Raises:
        TraceError: If it cannot be read, has no known format, or too many rows are malformed.
    """
    if uri.startswith(SCHEME):
        return make_synthetic(uri)
    records = open_records(Source.read(uri))
    trace_format = find_format(records)
    _check_options(records.source, trace_format)
    return trace_format.load(records)


def find_format(records: Records) -> Format:
    """Return the format that the URI states, or the one that the file has.

    Raises:
        TraceError: Listing what is known, if this is not.
    """
    source = records.source
    stated = source.options.get("format")
    if stated is not None:
        if stated in FORMATS:
            return FORMATS[stated]
        raise TraceError(
            f"Trace {source.uri}: format={stated}: expected one of {', '.join(FORMATS)}."
            f"{did_you_mean(stated, FORMATS)}"
        )
    for trace_format in FORMATS.values():
        if trace_format.matches(records):
            return trace_format
    known = "\n".join(f"  {form.name}: {form.head}" for form in FORMATS.values())
    raise TraceError(
        f"Trace {source.uri}: the format is not known. It is {records.container} and starts with\n"
        f"  {records.head}\nExpected one of\n{known}\nIf only names differ, say which is which: "
        f"{source.with_options(rename='YOUR_COLUMN:KNOWN_COLUMN,...')}."
    )


def _check_options(source: Source, trace_format: Format) -> None:
    allowed = (*trace_format.options, *COMMON_OPTIONS)
    for option in source.options:
        if option not in allowed:
            raise TraceError(
                f"Trace {source.uri}: {option!r} is not an option of the {trace_format.name} "
                f"format; its options: {', '.join(allowed)}.{did_you_mean(option, allowed)}"
            )
    if source.options.get("order", "any") != "any":
        raise TraceError(f"Trace {source.uri}: order={source.options['order']}: expected any.")
