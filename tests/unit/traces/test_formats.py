"""Every trace format: what it reads, and what it says about a file that it cannot read."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.errors import TraceError
from tests.unit.traces.files import Write, mooncake
from traces import load_trace
from traces.scoot_jsonl import dump_trace

AZURE_CONV = Path(__file__).parents[4] / "shared" / "data" / "azure_llm_2023_conv.csv"


@pytest.mark.skipif(not AZURE_CONV.exists(), reason=f"the Azure trace is not at {AZURE_CONV}")
def test_the_azure_conversation_trace_is_read_whole() -> None:
    trace = load_trace(str(AZURE_CONV))
    assert len(trace.requests) == 19_366
    assert (trace.format, trace.time_unit, trace.num_dropped) == ("processed", "s", 0)
    assert trace.span_s == pytest.approx(58 * 60, rel=0.02)
    assert trace.sha256 == sha256(AZURE_CONV.read_bytes()).hexdigest()


def test_azure_dates_have_seven_digits_or_none(write: Write) -> None:
    trace = load_trace(
        write(
            "TIMESTAMP,ContextTokens,GeneratedTokens",
            "2023-11-16 18:15:46.6805900,374,44",
            "2023-11-16 18:15:48,396,109",
            "2023-11-16 18:15:47.1805909,10,0",
        )
    )
    assert [r.arrival_s for r in trace.requests] == pytest.approx([0.0, 1.31941])
    assert trace.requests[1].prompt_tokens == 396
    assert (trace.format, trace.time_unit, trace.num_dropped) == ("azure", "datetime", 1)


def test_azure_dates_of_2024_name_their_zone(write: Write) -> None:
    trace = load_trace(
        write(
            "TIMESTAMP,ContextTokens,GeneratedTokens",
            "2024-05-10 00:00:00.009930+00:00,2162,5",
            "2024-05-10 00:00:00.017335+00:00,2399,6",
        )
    )
    assert trace.requests[1].arrival_s == pytest.approx(0.007405, abs=1e-6)


def test_processed_csv_is_sorted_and_starts_at_zero(write: Write) -> None:
    header = "num_decode_tokens,arrived_at,num_prefill_tokens,extra"
    trace = load_trace(write(header, "7,12.5,30,x", "", "8,10.0,40,y"))
    assert [(r.arrival_s, r.prompt_tokens, r.output_tokens) for r in trace.requests] == [
        (0.0, 40, 8),
        (2.5, 30, 7),
    ]


def test_burstgpt_failures_are_dropped_and_counted(write: Write) -> None:
    trace = load_trace(
        write(
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
            "5,ChatGPT,472,18,490,Conversation log",
            "45,ChatGPT,1087,0,1087,Conversation log",
            "118,GPT-4,417,276,693,API log",
        )
    )
    assert (len(trace.requests), trace.num_dropped) == (2, 1)
    assert trace.requests[1].arrival_s == 113.0
    assert trace.requests[1].session is None


def test_burstgpt_sessions_are_kept(write: Write) -> None:
    header = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens"
    trace = load_trace(write(header, "0,abc,1.5,GPT-4,10,20", "1,,1.5,GPT-4,10,20"))
    assert [r.session for r in trace.requests] == ["abc", None]


def test_mooncake_is_in_milliseconds(write: Write) -> None:
    trace = load_trace(write(mooncake(0), mooncake(27_482, 600, [0, 9])))
    assert (trace.format, trace.time_unit) == ("mooncake", "ms")
    assert trace.requests[1].arrival_s == pytest.approx(27.482)
    assert trace.requests[1].prefix_hashes == (0, 9)
    assert trace.requests[1].block_tokens == 512


@pytest.mark.parametrize(
    "rows",
    [
        [mooncake(0), mooncake(30_000.5)],
        [mooncake(0), mooncake(300)],
        [mooncake(8 * n) for n in range(2000)],
        [mooncake(0), mooncake(30_000, hashes=[])],
        [{k: v for k, v in mooncake(t).items() if k != "hash_ids"} for t in (0, 60_000)],
    ],
    ids=["fractions", "short", "likely in seconds", "other blocks", "no blocks"],
)
def test_an_unclear_unit_must_be_stated(write: Write, rows: list[dict[str, Any]]) -> None:
    with pytest.raises(TraceError, match=r"unit .*not clear.*\?unit=ms"):
        load_trace(write(*rows))


def test_a_stated_unit_is_taken(write: Write) -> None:
    path = write(mooncake(0), mooncake(2))
    assert load_trace(f"{path}?unit=s").span_s == 2.0
    assert load_trace(f"{path}?unit=ms").span_s == 0.002
    with pytest.raises(TraceError, match="expected unit=s, unit=ms"):
        load_trace(f"{path}?unit=minutes")


def test_other_block_sizes_must_be_stated(write: Write) -> None:
    path = write(mooncake(0, 64, [1, 2, 3, 4]))
    with pytest.raises(TraceError, match="block_tokens=NUMBER"):
        load_trace(f"{path}?unit=s")
    with pytest.raises(TraceError, match="block_tokens=0: expected"):
        load_trace(f"{path}?unit=s&block_tokens=0")
    assert load_trace(f"{path}?unit=s&block_tokens=16").requests[0].block_tokens == 16


def test_bailian_is_in_seconds_and_follows_chats_to_their_root(write: Write) -> None:
    def row(chat: int, parent: int, timestamp: float) -> dict[str, Any]:
        return mooncake(timestamp, 20, [7, 8]) | {
            "chat_id": chat,
            "parent_chat_id": parent,
            "type": "text",
            "turn": 1,
        }

    trace = load_trace(write(row(1, -1, 0.0), row(2, 1, 61.114), row(3, 2, 70), row(4, -1, 71)))
    assert (trace.format, trace.time_unit) == ("bailian", "s")
    assert [r.session for r in trace.requests] == ["1", "1", "1", "4"]
    assert trace.requests[1].arrival_s == 61.114
    assert trace.requests[1].block_tokens == 16


def test_our_own_format_round_trips(write: Write) -> None:
    header = {"format": "scoot-trace", "version": 1, "unit": "ms"}
    first = {"arrival": 0, "prompt_tokens": 40, "output_tokens": 2, "session": "a", "text": "hi"}
    shared = {"prefix_hashes": [1, 2], "block_tokens": 16}
    trace = load_trace(write(header, first, first | shared | {"arrival": 1500}))
    assert trace.requests[1].arrival_s == 1.5
    assert trace.requests[1].prefix_hashes == (1, 2)
    again = load_trace(write(dump_trace(trace), name="again"))
    assert again.requests == trace.requests


@pytest.mark.parametrize("name", ["sql", "bot", "cls", "rec"])
def test_synthetic_traces_round_trip_through_our_own_format(write: Write, name: str) -> None:
    trace = load_trace(f"synthetic:{name}?num_requests=50")
    again = load_trace(write(dump_trace(trace)))
    assert again.requests == trace.requests
    assert again.time_unit == "none"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["arrived_at,num_prefill_tokens,num_decode_tokens", "0,1,2", "1,x,2"], "line 3: .*'x'"),
        (
            ["arrived_at,num_prefill_tokens,num_decode_tokens", "0,1"],
            "line 2: 'num_decode_tokens' is missing",
        ),
        (["arrived_at,num_prefill_tokens,num_decode_tokens", "nan,1,2"], "line 2: .*finite"),
        (["arrived_at,num_prefill_tokens,num_decode_tokens", "0,-1,2"], "line 2: .*whole number"),
        (["arrived_at,num_prefill_tokens,num_decode_tokens", "0,1.5,2"], "line 2: .*whole number"),
        (["arrived_at,num_prefill_tokens,num_decode_tokens", "0,inf,2"], "line 2: .*finite number"),
        (["arrived_at,num_prefill_tokens,num_decode_tokens"], "none of its 0 rows"),
        (["arrived_at,num_prefill_tokens,num_decode_tokens", "0,5,0"], "none of its 1 rows"),
        (["TIMESTAMP,ContextTokens,GeneratedTokens", "yesterday,1,2"], "line 2: .*yesterday"),
        ([mooncake(0), "{"], "line 2: "),
        ([mooncake(0), "[1]"], "line 2: expected a JSON object"),
        ([mooncake(0), {"timestamp": 0, "input_length": 4}], "line 2: 'output_length' is missing"),
        ([mooncake(0) | {"hash_ids": ["a"]}], "line 1: .*hash_ids"),
        ([mooncake(0) | {"input_length": None}], "line 1: "),
        ([mooncake(0), "[" * 100_000], "line 2: .*nested"),
        (['{"format": "scoot-trace", "version": 2, "unit": "s"}'], "version 1"),
        (['{"format": "scoot-trace", "version": 1, "unit": "h"}'], "unit out of s, ms, none"),
        (["a,b,c", "1,2,3"], r"not known[\s\S]*a,b,c[\s\S]*azure: TIMESTAMP"),
        (['{"prompt": "hi"}'], r"how long answers are.*\?output_tokens=256"),
        (["hello"], "not known"),
        ([""], "is empty"),
    ],
)
def test_a_malformed_file_is_one_clear_error(write: Write, lines: list[Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        load_trace(write(*lines))


def test_our_own_format_says_what_is_wrong(write: Write) -> None:
    header = {"format": "scoot-trace", "version": 1, "unit": "s"}
    row = {"arrival": 0, "prompt_tokens": 40, "output_tokens": 2}
    with pytest.raises(TraceError, match="line 2: prefix_hashes need block_tokens"):
        load_trace(write(header, row | {"prefix_hashes": [1]}))
    with pytest.raises(TraceError, match="line 2: expected session to be text, got 3"):
        load_trace(write(header, row | {"session": 3}))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        load_trace(str(tmp_path / "absent.csv"))
    with pytest.raises(TraceError, match="directory"):
        load_trace(str(tmp_path))
    with pytest.raises(TraceError, match="expected a local file"):
        load_trace("https://example.org/trace.csv")
    binary = tmp_path / "trace.gz"
    binary.write_bytes(b"\x1f\x8b\x08\xff\xfe")
    with pytest.raises(TraceError, match="gzip file is damaged or cut short"):
        load_trace(str(binary))
    with pytest.raises(TraceError, match="null byte"):
        load_trace("a\0b")


def test_options_are_checked(write: Write) -> None:
    path = write("arrived_at,num_prefill_tokens,num_decode_tokens", "0,1,2")
    with pytest.raises(TraceError, match="'unit' is not an option of the processed format"):
        load_trace(f"{path}?unit=ms")
    with pytest.raises(TraceError, match=r"expected `\?name=value"):
        load_trace(f"{path}?unit")


def test_a_path_may_hold_a_question_mark_a_scheme_or_a_byte_order_mark(write: Write) -> None:
    header = "arrived_at,num_prefill_tokens,num_decode_tokens"
    assert load_trace(write(header, "0,1,2", name="what?")).requests
    assert load_trace("file://" + write("\ufeff" + header + "\r", "0,1,2\r")).requests
