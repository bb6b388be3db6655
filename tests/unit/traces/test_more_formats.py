"""The formats of benchmark tools and agents: what each says, and what must be stated for it."""

from typing import Any

import pytest

from scoot_ray.core.errors import TraceError
from tests.unit.traces.files import Write, mooncake
from traces import load_trace


def lengths(uri: str) -> list[tuple[float, int, int]]:
    requests = load_trace(uri).requests
    return [(r.arrival_s, r.prompt_tokens, r.output_tokens) for r in requests]


def test_azure_multimodal_leaves_out_requests_with_images(write: Write) -> None:
    trace = load_trace(
        write(
            "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens",
            "2024-10-15T12:00:00.123Z,0,100,20",
            "2024-10-15T12:00:01.123Z,2,1100,20",
            name="lmm.csv.gz",
        )
    )
    assert (trace.format, trace.time_unit, len(trace.requests)) == ("azure_lmm", "datetime", 1)
    assert [str(group) for group in trace.left_out] == [
        "1 with images, which cannot be replayed: line 3"
    ]


def test_slo_guard_has_arrivals_only(write: Write) -> None:
    path = write("inter_arrival_s", "0.5", "1.5", "0")
    with pytest.raises(TraceError, match=r"no prompt lengths.*\?prompt_tokens=256"):
        load_trace(path)
    uri = f"{path}?prompt_tokens=100&output_tokens=7"
    assert lengths(uri) == [(0.0, 100, 7), (1.5, 100, 7), (1.5, 100, 7)]


@pytest.mark.parametrize("name", ["timed.csv", "timed.parquet"])
def test_guidellm_s_timed_files_must_state_their_unit(write: Write, name: str) -> None:
    path = write("timestamp,input_length,output_length", "0.5,10,3", "2,20,4", name=name)
    if name.endswith("parquet"):
        pa = pytest.importorskip("pyarrow")
        pq = pytest.importorskip("pyarrow.parquet")
        rows = {"timestamp": [0.5, 2.0], "input_length": [10, 20], "output_length": [3, 4]}
        pq.write_table(pa.table(rows), path)
    with pytest.raises(TraceError, match="the unit of `timestamp` is not clear"):
        load_trace(path)
    assert lengths(f"{path}?unit=s") == [(0.0, 10, 3), (1.5, 20, 4)]


def test_guidellm_s_rows_may_say_their_block_size(write: Write) -> None:
    row = mooncake(0, 64, [1, 2]) | {"hash_id_block_size": 32}
    assert load_trace(write(row) + "?unit=s").requests[0].block_tokens == 32


def test_aiperf_texts_are_in_milliseconds(write: Write) -> None:
    first = {"timestamp": 0, "input_text": "x" * 40, "output_length": 9}
    trace = load_trace(write(first, first | {"timestamp": 1500, "session_id": "a"}))
    assert (trace.format, trace.time_unit) == ("aiperf", "ms")
    assert trace.requests[1].arrival_s == 1.5
    assert trace.requests[1].session == "a"
    assert trace.requests[0].prompt_tokens == 10
    assert trace.notes == ("token counts estimated from text, 4 bytes each",)


def test_aiperf_without_answers_asks_for_unit_and_length(write: Write) -> None:
    path = write({"timestamp": 0, "input_length": 600, "hash_ids": [3, 4]})
    with pytest.raises(TraceError, match="the unit of `timestamp` is not clear"):
        load_trace(path)
    with pytest.raises(TraceError, match=r"'[^']*\?unit=ms&output_tokens=256'"):
        load_trace(f"{path}?unit=ms")
    (request,) = load_trace(f"{path}?unit=ms&output_tokens=8").requests
    assert (request.prompt_tokens, request.output_tokens) == (600, 8)
    assert (request.prefix_hashes, request.block_tokens) == ((3, 4), 512)


def weka_request(t: float, hashes: list[int]) -> dict[str, Any]:
    return {"t": t, "type": "n", "in": 64 * len(hashes), "out": 10, "hash_ids": hashes}


def test_weka_conversations_share_no_blocks_but_their_own(write: Write) -> None:
    agent = {"t": 2.0, "type": "subagent", "id": "x", "requests": [weka_request(2.0, [1, 7])]}
    chat = {"id": "a", "block_size": 64, "hash_id_scope": "local"}
    path = write(
        chat | {"requests": [weka_request(0.0, [1]), agent, weka_request(3.0, [1, 2])]},
        chat | {"id": "b", "requests": [weka_request(0.0, [1])]},
    )
    trace = load_trace(path)
    assert (trace.format, trace.time_unit, trace.span_s) == ("weka", "none", 0.0)
    assert [r.session for r in trace.requests] == ["a", "a", "a", "b"]
    assert [r.prefix_hashes for r in trace.requests] == [(0,), (0, 1), (0, 2), (3,)]
    spaced = load_trace(f"{path}?start_gap_s=10")
    assert [r.arrival_s for r in spaced.requests] == [0.0, 2.0, 3.0, 10.0]


def test_weka_rows_may_be_flat_and_their_hashes_global(write: Write) -> None:
    row = weka_request(1.0, [5]) | {"id": "a", "hash_id_scope": "global"}
    trace = load_trace(write(row, row | {"id": "b"}))
    assert [r.prefix_hashes for r in trace.requests] == [(0,), (0,)]


def test_tracelab_rounds_repeat_what_they_say(write: Write) -> None:
    row = {"session_id": "a", "round_index": 1, "input_tokens_total": 80, "output_tokens": 5}
    trace = load_trace(
        write(
            row | {"prefix_tokens": 40},
            row | {"round_index": 0, "input_tokens_total": 48},
            row | {"session_id": "b", "prefix_tokens": 0},
        )
    )
    assert (trace.format, trace.time_unit) == ("tracelab", "none")
    assert [r.prompt_tokens for r in trace.requests] == [48, 80, 80]
    first, second, other = (r.prefix_hashes for r in trace.requests)
    assert second[:2] == first[:2]
    assert len(second) == 5
    assert not set(other) & {*first, *second}


def otlp(**attributes: Any) -> dict[str, Any]:
    pairs = [{"key": k.replace("__", "."), "value": v} for k, v in attributes.items()]
    return {"traceId": "t1", "startTimeUnixNano": "1700000000500000000", "attributes": pairs}


def test_otlp_spans_of_llm_calls_are_taken(write: Write) -> None:
    usage = {
        "gen_ai__usage__input_tokens": {"intValue": "1200"},
        "gen_ai__usage__output_tokens": {"intValue": 40},
    }
    call = otlp(gen_ai__operation__name={"stringValue": "chat"}, **usage)
    later = otlp(**usage) | {"startTimeUnixNano": 1700000002000000000}
    agent = otlp(gen_ai__operation__name={"stringValue": "invoke_agent"}, **usage)
    tool = otlp(tool__name={"stringValue": "bash"})
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [later, agent, tool, call]}]}]}
    trace = load_trace(write(spans))
    assert (trace.format, trace.time_unit) == ("otel", "ns")
    assert [r.arrival_s for r in trace.requests] == pytest.approx([0.0, 1.5], abs=1e-6)
    assert (trace.requests[0].prompt_tokens, trace.requests[0].session) == (1200, "t1")
    assert trace.num_dropped == 2


def test_spans_may_have_plain_attributes_and_dates(write: Write) -> None:
    attributes = {
        "llm.token_count.prompt": 9,
        "llm.token_count.completion": 3,
        "session.id": "s",
    }
    span = {"start_time": "2024-01-01T00:00:00Z", "attributes": attributes}
    trace = load_trace(write({"trace_id": "t", "spans": [span]}))
    assert trace.time_unit == "datetime"
    assert trace.requests[0].session == "s"


def conversation(*texts: str) -> dict[str, Any]:
    return {"id": "x", "conversations": [{"from": "human", "value": text} for text in texts]}


def test_sharegpt_is_filtered_as_in_the_reference(write: Write) -> None:
    rows = [
        conversation("p" * 400, "r" * 200, "more"),
        conversation("hi", "r" * 200),
        conversation("p" * 8000, "r" * 200),
        conversation("alone"),
    ]
    path = write(rows)
    trace = load_trace(path)
    assert trace.format == "sharegpt"
    assert lengths(path) == [(0.0, 100, 50)]
    assert [group.num_rows for group in trace.left_out] == [1, 1, 1]
    assert len(load_trace(f"{path}?filter=none").requests) == 3
    assert load_trace(f"{path}?filter=none&bytes_per_token=2").requests[0].prompt_tokens == 200


def test_scoot_s_own_json_takes_lengths_or_counts_them(write: Write) -> None:
    rows = [
        {"prompt": "p" * 40, "response": "r" * 20},
        {"prompt": "p" * 40, "output_len": 7, "input_len": 12},
    ]
    path = write(rows)
    assert load_trace(path).format == "scoot_prompts"
    assert lengths(path) == [(0.0, 10, 5), (0.0, 12, 7)]


def test_vllm_custom_prompts_need_an_output_length(write: Write) -> None:
    path = write({"prompt": "p" * 40}, {"prompt": "p" * 80, "output_tokens": 3})
    with pytest.raises(TraceError, match=r"how long answers are.*\?output_tokens=256"):
        load_trace(path)
    assert load_trace(f"{path}?output_tokens=9").format == "vllm_custom"
    assert lengths(f"{path}?output_tokens=9") == [(0.0, 10, 9), (0.0, 20, 3)]


def test_sglang_takes_texts_ids_and_messages(write: Write) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "m" * 40}]}]
    path = write(
        {"prompt": "p" * 40, "output_len": 5},
        {"prompt": [5, 6, 7], "max_tokens": 6},
        {"messages": messages, "prompt_len": 30},
    )
    trace = load_trace(path)
    assert trace.format == "sglang"
    assert lengths(path) == [(0.0, 10, 5), (0.0, 3, 6), (0.0, 30, 256)]
    assert "256 output tokens where a row says nothing" in trace.notes


def test_sglang_s_times_have_no_unit(write: Write) -> None:
    row = {"prompt": "hello", "output_len": 5, "timestamp": 0}
    path = write(row, row | {"timestamp": 1000})
    with pytest.raises(TraceError, match="SGLang's format does not define it"):
        load_trace(path)
    assert load_trace(f"{path}?unit=ms").span_s == 1.0


def test_guidellm_knows_many_names(write: Write) -> None:
    path = write("question,output_tokens_count,system_prompt", f"{'q' * 39},5,{'s' * 40}")
    assert load_trace(path).format == "guidellm"
    assert lengths(path) == [(0.0, 20, 5)]
    path = write({"input_tokens_count": 11, "completion_tokens_count": 4})
    assert lengths(path) == [(0.0, 11, 4)]


def test_texts_that_begin_alike_share_blocks(write: Write) -> None:
    rows = [{"prompt": "s" * 640 + tail * 64} for tail in "ab"]
    first, second = load_trace(write(*rows) + "?output_tokens=1").requests
    assert first.prefix_hashes[:10] == second.prefix_hashes[:10]
    assert first.prefix_hashes[10] != second.prefix_hashes[10]


def test_columns_may_be_renamed_and_the_format_stated(write: Write) -> None:
    path = write("when,in,out", "0,10,3", "1,20,4")
    with pytest.raises(TraceError, match="rename=YOUR_COLUMN:KNOWN_COLUMN"):
        load_trace(path)
    uri = f"{path}?rename=when:arrived_at,in:num_prefill_tokens,out:num_decode_tokens"
    assert lengths(uri) == [(0.0, 10, 3), (1.0, 20, 4)]
    with pytest.raises(TraceError, match=r"no column 'whem'.* Did you mean when"):
        load_trace(f"{path}?rename=whem:arrived_at")
    with pytest.raises(TraceError, match="Did you mean burstgpt"):
        load_trace(f"{path}?format=burstgtp")
    with pytest.raises(TraceError, match="'arrived_at' is missing"):
        load_trace(f"{path}?format=processed")
