"""Every format reads what was written in it; whatever else a file holds ends in our own error."""

import csv
import gzip
import io
import json
import string
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoot_ray.core.errors import TraceError
from traces import load_trace
from traces.formats import FORMATS
from traces.schema import Trace
from traces.summary import summarize


class Drawn(NamedTuple):
    """A request as it is to be written: whole milliseconds, so that every unit holds it."""

    arrival_ms: int
    prompt: int
    output: int


TOKENS = st.integers(1, 20_000)


@st.composite
def drawn_requests(draw: st.DrawFn) -> list[Drawn]:
    gaps = draw(st.lists(st.integers(0, 60_000), min_size=1, max_size=20))
    times = [sum(gaps[: i + 1]) - gaps[0] for i in range(len(gaps))]
    return [Drawn(time, draw(TOKENS), draw(TOKENS)) for time in times]


class Written(NamedTuple):
    """How a format's file is written for requests, and what it does not keep."""

    content: Callable[[Sequence[Drawn]], str]
    options: str = ""
    has_times: bool = True
    fixed_lengths: tuple[int, int] | None = None


def as_csv(header: str, row: Callable[[Drawn], Sequence[Any]]) -> Callable[..., str]:
    def write(requests: Sequence[Drawn]) -> str:
        text = io.StringIO()
        csv.writer(text).writerows([header.split(","), *map(row, requests)])
        return text.getvalue()

    return write


def as_lines(row: Callable[[Drawn], Any], *header: Any) -> Callable[..., str]:
    return lambda requests: "\n".join(map(json.dumps, [*header, *map(row, requests)]))


def seconds(request: Drawn) -> float:
    return request.arrival_ms / 1000


def date(request: Drawn) -> str:
    moment = datetime(2023, 11, 16, 18, tzinfo=UTC) + timedelta(milliseconds=request.arrival_ms)
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}0"


def lengths_in(prompt: str, output: str) -> Callable[[Drawn], dict[str, Any]]:
    return lambda r: {prompt: r.prompt, output: r.output}


def span(r: Drawn) -> dict[str, Any]:
    usage = {"gen_ai.usage.input_tokens": r.prompt, "gen_ai.usage.output_tokens": r.output}
    attributes = [{"key": key, "value": {"intValue": str(n)}} for key, n in usage.items()]
    start_ns = 1_700_000_000_000_000_000 + r.arrival_ms * 1_000_000
    return {"startTimeUnixNano": str(start_ns), "attributes": attributes}


def otlp(requests: Sequence[Drawn]) -> str:
    spans = [span(request) for request in requests]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})


def sharegpt(requests: Sequence[Drawn]) -> str:
    # Four bytes a token: the lengths come back exactly.
    return json.dumps(
        [
            {"conversations": [{"value": "p" * 4 * r.prompt}, {"value": "r" * 4 * r.output}]}
            for r in requests
        ]
    )


MOONCAKE = lengths_in("input_length", "output_length")

WRITTEN = {
    "scoot": Written(
        as_lines(
            lambda r: {"arrival": seconds(r)} | lengths_in("prompt_tokens", "output_tokens")(r),
            {"format": "scoot-trace", "version": 1, "unit": "s"},
        )
    ),
    "azure": Written(
        as_csv("TIMESTAMP,ContextTokens,GeneratedTokens", lambda r: (date(r), r.prompt, r.output))
    ),
    "azure_lmm": Written(
        as_csv(
            "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens",
            lambda r: (date(r), 0, r.prompt, r.output),
        )
    ),
    "processed": Written(
        as_csv(
            "arrived_at,num_prefill_tokens,num_decode_tokens",
            lambda r: (seconds(r), r.prompt, r.output),
        )
    ),
    "burstgpt": Written(
        as_csv(
            "Timestamp,Model,Request tokens,Response tokens",
            lambda r: (seconds(r), "GPT-4", r.prompt, r.output),
        )
    ),
    "slo_guard": Written(
        lambda requests: "\n".join(
            ["inter_arrival_s"]
            + [
                str((later.arrival_ms - earlier.arrival_ms) / 1000)
                for earlier, later in zip([requests[0], *requests], requests, strict=False)
            ]
        ),
        "?prompt_tokens=7&output_tokens=3",
        fixed_lengths=(7, 3),
    ),
    "bailian": Written(
        as_lines(
            lambda r: (
                {"chat_id": 1, "parent_chat_id": -1, "timestamp": seconds(r), "hash_ids": [1]}
                | MOONCAKE(r)
            )
        )
    ),
    "aiperf": Written(
        as_lines(lambda r: {"timestamp": r.arrival_ms, "input_text": "x"} | MOONCAKE(r))
    ),
    "mooncake": Written(as_lines(lambda r: {"timestamp": r.arrival_ms} | MOONCAKE(r)), "?unit=ms"),
    "weka": Written(
        as_lines(lambda r: {"id": "a", "t": seconds(r)} | lengths_in("in", "out")(r)),
        "?start_gap_s=5",
    ),
    "tracelab": Written(
        as_lines(
            lambda r: (
                {"session_id": "a", "round_index": r.arrival_ms}
                | lengths_in("input_tokens_total", "output_tokens")(r)
            )
        ),
        has_times=False,
    ),
    "otel": Written(otlp),
    "sharegpt": Written(sharegpt, "?filter=none", has_times=False),
    "scoot_prompts": Written(
        lambda requests: json.dumps(
            [{"prompt": "p"} | lengths_in("input_len", "output_len")(r) for r in requests]
        ),
        has_times=False,
    ),
    "sglang": Written(
        as_lines(
            lambda r: (
                {"prompt": "p", "timestamp": seconds(r)} | lengths_in("prompt_len", "max_tokens")(r)
            )
        ),
        "?unit=s",
    ),
    "vllm_custom": Written(
        as_lines(lambda r: {"prompt": "p" * 4 * r.prompt, "output_tokens": r.output}),
        has_times=False,
    ),
    "guidellm": Written(
        as_csv("text,prompt_tokens_count,output_tokens_count", lambda r: ("p", r.prompt, r.output)),
        has_times=False,
    ),
}


def load(content: bytes, options: str = "", name: str = "trace") -> Trace:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return load_trace(f"{path}{options}")


def test_every_format_is_written_here() -> None:
    assert set(WRITTEN) == set(FORMATS)


@pytest.mark.parametrize("name", list(WRITTEN))
@settings(max_examples=20)
@given(
    requests=drawn_requests(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    is_packed=st.booleans(),
)
def test_what_is_written_is_read(
    name: str, requests: list[Drawn], line_end: str, mark: str, is_packed: bool
) -> None:
    written = WRITTEN[name]
    text = mark + written.content(requests).replace("\r\n", "\n").replace("\n", line_end)
    content = gzip.compress(text.encode()) if is_packed else text.encode()
    trace = load(content, written.options)
    assert (trace.format, trace.num_dropped) == (name, 0)
    expected = [written.fixed_lengths or (r.prompt, r.output) for r in requests]
    assert sorted((r.prompt_tokens, r.output_tokens) for r in trace.requests) == sorted(expected)
    times = [seconds(r) - seconds(requests[0]) for r in requests]
    assert [r.arrival_s for r in trace.requests] == pytest.approx(
        times if written.has_times else [0.0] * len(times), abs=1e-6
    )
    assert 0 <= (summarize(trace).prefix_share or 0) <= 1


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**400),
        st.floats(),
        st.text(max_size=10),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["requests", "spans", "value", "key"]), inner, max_size=3),
    ),
    max_leaves=5,
)
ONE = [Drawn(0, 10, 5)]
JSON_FORMATS = [name for name in WRITTEN if WRITTEN[name].content(ONE)[0] in "[{"]


def replace_value(document: Any, keys: list[str], value: Any) -> Any:
    """Put `value` in the place of one of the fields named in `keys`, wherever it is nested."""
    if isinstance(document, list):
        return [replace_value(item, keys, value) for item in document]
    if isinstance(document, dict):
        return {
            key: value if key in keys else replace_value(item, keys, value)
            for key, item in document.items()
        }
    return document


def keys_of(document: Any) -> list[str]:
    if isinstance(document, list):
        return [key for item in document for key in keys_of(item)]
    if isinstance(document, dict):
        return [*document, *(key for item in document.values() for key in keys_of(item))]
    return []


@pytest.mark.parametrize("name", JSON_FORMATS)
@settings(max_examples=25)
@given(data=st.data())
def test_wrong_types_in_any_field_end_in_our_error(name: str, data: st.DataObject) -> None:
    written = WRITTEN[name]
    lines = [json.loads(line) for line in written.content(ONE).split("\n")]
    key = data.draw(st.sampled_from(sorted(set(keys_of(lines)))))
    value = data.draw(JSON_VALUES)
    text = "\n".join(json.dumps(replace_value(line, [key], value)) for line in lines)
    options = f"{written.options}{'&' if written.options else '?'}format={name}"
    read_or_refuse(text.encode(), options)


@pytest.mark.parametrize("name", list(WRITTEN))
@settings(max_examples=25)
@given(data=st.data())
def test_damaged_files_end_in_our_error(name: str, data: st.DataObject) -> None:
    written = WRITTEN[name]
    content = written.content(data.draw(drawn_requests())).encode()[:2000]
    place = data.draw(st.integers(0, len(content)))
    junk = data.draw(
        st.one_of(st.binary(max_size=5), st.sampled_from([b"\x00", b'"', b"\r", b"["]))
    )
    rest = content[place:] if data.draw(st.booleans()) else b""
    read_or_refuse(content[:place] + junk + rest, written.options)
    packed = gzip.compress(content)
    read_or_refuse(packed[: data.draw(st.integers(2, len(packed)))], written.options)


@settings(max_examples=50)
@given(content=st.binary(max_size=100), start=st.sampled_from([b"PAR1", b"\x1f\x8b", b"\xff\xfe"]))
def test_binary_files_end_in_our_error(content: bytes, start: bytes) -> None:
    with pytest.raises(TraceError):
        load(start + content)


OPTION_TEXT = st.text(string.ascii_letters + string.digits + "=&:,.-+%_", max_size=30)


@settings(max_examples=50)
@given(options=OPTION_TEXT)
def test_whatever_options_are_written_the_error_is_ours(options: str) -> None:
    read_or_refuse(WRITTEN["mooncake"].content(ONE).encode(), f"?{options}")


def read_or_refuse(content: bytes, options: str = "") -> None:
    try:
        trace = load(content, options)
    except TraceError:
        return
    assert trace.requests[0].arrival_s == 0.0
