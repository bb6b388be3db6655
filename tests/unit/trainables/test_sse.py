import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trainables.sse import CompletionStream


def event(count: int, text: str = "") -> bytes:
    choice = {"index": 0, "text": text}
    usage = {"prompt_tokens": 3, "total_tokens": 3 + count, "completion_tokens": count}
    content = json.dumps({"choices": [choice], "usage": usage}, separators=(",", ":"))
    return f"data: {content}\n\n".encode()


DONE = b"data: [DONE]\n\n"


@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    text=st.text(max_size=20),
    line_end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_chunks_may_break_anywhere(
    counts: list[int], cuts: list[int], text: str, line_end: bytes
) -> None:
    totals = [sum(counts[: n + 1]) for n in range(len(counts))]
    data = b"".join(event(total, text) for total in totals) + event(totals[-1]) + DONE
    data = data.replace(b"\n", line_end)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    stream = CompletionStream()
    new = [stream.feed(data[a:b]) for a, b in pairwise(edges)]
    assert sum(new) == stream.num_tokens == totals[-1]
    assert min(new) >= 0
    assert stream.is_done
    assert stream.error is None


def test_tokens_count_when_their_event_is_whole() -> None:
    stream = CompletionStream()
    data = event(1) + event(3)
    assert stream.feed(data[:-1]) == 1
    assert stream.feed(data[-1:]) == 2
    assert not stream.is_done


def test_text_that_looks_like_a_count_is_text() -> None:
    stream = CompletionStream()
    assert stream.feed(event(2, text='"completion_tokens":99, "error": {')) == 2
    assert stream.error is None


def test_spaces_in_json_are_allowed() -> None:
    stream = CompletionStream()
    assert stream.feed(b'data: {"usage": {"completion_tokens": 12}}\n\n') == 12


def test_an_error_event_is_kept() -> None:
    stream = CompletionStream()
    stream.feed(event(1) + b'data: {"error": {"message": "dead"}}\n\n' + DONE)
    assert stream.error == 'data: {"error": {"message": "dead"}}'
    assert stream.num_tokens == 1


def test_carriage_returns_are_part_of_the_line_end() -> None:
    stream = CompletionStream()
    data = (event(2) + DONE).replace(b"\n", b"\r\n")
    assert [stream.feed(data[n : n + 1]) for n in range(len(data))].count(2) == 1
    assert stream.num_tokens == 2
    assert stream.is_done


def test_the_space_after_the_colon_may_be_missing() -> None:
    stream = CompletionStream()
    stream.feed(b'data:{"error":{"message":"dead"}}\n\ndata:[DONE]\n\n')
    assert stream.error == 'data:{"error":{"message":"dead"}}'
    assert stream.is_done


def test_the_end_is_not_seen_in_text() -> None:
    stream = CompletionStream()
    stream.feed(event(1, text="[DONE]"))
    assert not stream.is_done


def test_a_count_of_null_is_none() -> None:
    null = b'data: {"choices":[{"text":"a"}],"usage":{"completion_tokens":null}}\n\n'
    stream = CompletionStream()
    assert stream.feed(null) == 1
    assert stream.feed(event(5) + null) == 4
    assert stream.feed(null) == 0


def told_at_the_end(texts: list[str], key: str) -> bytes:
    """Write a stream of a server that counts once, when all is said."""
    events = [{"choices": [{"delta": {key: text}}], "usage": None} for text in texts]
    usage = {"prompt_tokens": 7, "total_tokens": 7 + len(texts), "completion_tokens": len(texts)}
    lines = [json.dumps(event) for event in (*events, {"choices": [], "usage": usage})]
    return b"".join(f"data: {line}\n\n".encode() for line in lines) + DONE


def test_events_with_text_are_counted_until_the_server_counts() -> None:
    data = told_at_the_end(["", "one", '"content":"x', "", "three"], "content")
    stream = CompletionStream()
    new = [stream.feed(event + b"\n\n") for event in data.split(b"\n\n")[:-1]]
    assert new[:5] == [0, 1, 1, 0, 1]
    # The server counts the tokens that were no text, too.
    assert sum(new) == stream.num_tokens == 5
    assert stream.prompt_tokens == 7


def test_tokens_are_told_by_an_engine_that_counts() -> None:
    counted, told = CompletionStream(), CompletionStream()
    counted.feed(told_at_the_end(["one", "two"], "content").split(b"\n\n")[0] + b"\n\n")
    told.feed(event(1))
    assert [stream.num_tokens for stream in (counted, told)] == [1, 1]
    assert [stream.tokens_told for stream in (counted, told)] == [None, 1]


def test_thoughts_are_tokens() -> None:
    stream = CompletionStream()
    stream.feed(told_at_the_end(["hm"], "reasoning_content")[:60] + b"\n\n")
    assert stream.num_tokens == 1
    assert stream.prompt_tokens is None
