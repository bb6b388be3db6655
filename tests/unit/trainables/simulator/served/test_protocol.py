import json
from typing import Any

import pytest

from trainables.simulator.served.protocol import (
    CHAT_TOKENS,
    COMPLETION_TOKENS,
    ChatBody,
    CompletionBody,
    ProtocolError,
    parse_body,
)


def completion(**fields: Any) -> CompletionBody:
    body = parse_body(CompletionBody, json.dumps({"prompt": [5, 6, 7], **fields}).encode(), "m")
    assert isinstance(body, CompletionBody)
    return body


@pytest.mark.parametrize("prompt", [[5, 6, 7], [[5, 6, 7]]])
def test_token_ids_may_come_alone_or_in_a_list(prompt: Any) -> None:
    assert completion(prompt=prompt).token_ids == [5, 6, 7]


@pytest.mark.parametrize("prompt", ["eight ch", ["eight ch"]])
def test_so_may_texts(prompt: Any) -> None:
    assert len(completion(prompt=prompt).token_ids) == 2


def test_what_clients_send_besides_is_passed_over() -> None:
    body = completion(temperature=0, repetition_penalty=1.0, logprobs=None, ignore_eos=True, n=1)
    assert body.output_tokens(3, 100) == COMPLETION_TOKENS


@pytest.mark.parametrize(("num_prompt", "wanted", "expected"), [(3, 50, 50), (90, 50, 10)])
def test_the_context_cuts_an_answer_short_as_in_vllm(
    num_prompt: int, wanted: int, expected: int
) -> None:
    assert completion(max_tokens=wanted).output_tokens(num_prompt, 100) == expected


@pytest.mark.parametrize(
    ("fields", "num_prompt", "parameter"),
    [
        ({}, 100, "input_tokens"),
        ({"max_tokens": 101}, 3, "max_tokens"),
        ({"max_tokens": 5, "min_tokens": 6}, 3, "min_tokens"),
    ],
)
def test_what_does_not_fit_is_refused(
    fields: dict[str, Any], num_prompt: int, parameter: str
) -> None:
    with pytest.raises(ProtocolError) as error:
        completion(**fields).output_tokens(num_prompt, 100)
    assert (error.value.status, error.value.parameter) == (400, parameter)


@pytest.mark.parametrize(
    ("fields", "parameter", "message"),
    [
        ({"prompt": 3}, "prompt", "expected a text, token ids"),
        ({"prompt": ["a", "b"]}, "prompt", "got 2"),
        ({"prompt": []}, "prompt", "must be provided"),
        ({"prompt": None}, "prompt", "expected a text"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"max_tokens": "many"}, "max_tokens", "integer"),
        ({"n": 2}, "n", "1"),
        ({"stream_options": 3}, "stream_options", "object"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], parameter: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message) as error:
        _ = completion(**fields).token_ids
    assert (error.value.status, error.value.parameter) == (400, parameter)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff"])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(ProtocolError) as error:
        parse_body(CompletionBody, content, "m")
    assert error.value.status == 400


def test_another_model_is_not_found() -> None:
    assert completion(model="m").model == "m"
    with pytest.raises(ProtocolError, match="`other` does not exist") as error:
        completion(model="other")
    assert error.value.status == 404


def chat(*messages: dict[str, Any], **fields: Any) -> ChatBody:
    body = parse_body(ChatBody, json.dumps({"messages": messages, **fields}).encode(), "m")
    assert isinstance(body, ChatBody)
    return body


def test_a_chat_is_its_messages_one_after_another() -> None:
    first = {"role": "system", "content": "You are a helpful assistant, and brief."}
    parts = [{"type": "text", "text": "What is "}, {"type": "text", "text": "KV?"}]
    short = chat(first, {"role": "user", "content": parts})
    long = chat(first, {"role": "user", "content": "What is KV?"}, {"role": "assistant"})
    num_shared = len(short.token_ids) - 1
    assert long.token_ids[:num_shared] == short.token_ids[:num_shared]
    assert chat(first).output_tokens(9, 4096) == CHAT_TOKENS
    assert chat(first, max_completion_tokens=7).output_tokens(9, 4096) == 7
    assert chat(first, max_tokens=8).output_tokens(9, 4096) == 8


@pytest.mark.parametrize(
    "messages", [[], [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]]
)
def test_a_chat_without_text_is_refused(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(ProtocolError) as error:
        chat(*messages)
    assert error.value.parameter == "messages"
