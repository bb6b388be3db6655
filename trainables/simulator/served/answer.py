"""Answers as clients read them: whole, or as server-sent events."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from trainables.simulator.served.protocol import StreamOptions

WORD = " word"  # what every token reads as
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Answer:
    """Write the answer to one request.

    Attributes:
        model: The model's name.
        is_chat: The request was a chat, so the answer is a message.
        num_prompt_tokens: Tokens in.
        num_output_tokens: Tokens that will come out.
    """

    model: str
    is_chat: bool
    num_prompt_tokens: int
    num_output_tokens: int
    created_s: int = field(default_factory=lambda: int(time.time()))
    identifier: str = field(default_factory=lambda: uuid4().hex)

    def whole(self) -> dict[str, Any]:
        """Return the answer in one piece."""
        text = WORD * self.num_output_tokens
        content = {"message": {"role": "assistant", "content": text}}
        choice = {"index": 0, "finish_reason": "length", "logprobs": None}
        choice |= content if self.is_chat else {"text": text}
        kind = "chat.completion" if self.is_chat else "text_completion"
        return self._frame(kind, [choice]) | {"usage": self._usage(self.num_output_tokens)}

    def first_event(self, options: StreamOptions) -> bytes:
        """Return what precedes the first token: a chat's role."""
        if not self.is_chat:
            return b""
        return self._event({"delta": {"role": "assistant", "content": ""}}, 0, options)

    def event(self, before: int, count: int, options: StreamOptions) -> bytes:
        """Return the event of the tokens after the first `before`, up to the first `count`."""
        text = WORD * (count - before)
        content = {"delta": {"content": text}} if self.is_chat else {"text": text}
        return self._event(content, count, options)

    def last_events(self, options: StreamOptions) -> Iterator[bytes]:
        """Yield what follows the last token."""
        if options.include_usage:
            usage = self._usage(self.num_output_tokens)
            yield to_event(self._frame(self._chunk_kind, []) | {"usage": usage})
        yield DONE

    def _event(self, content: dict[str, Any], count: int, options: StreamOptions) -> bytes:
        reason = "length" if count == self.num_output_tokens else None
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": reason}
        chunk = self._frame(self._chunk_kind, [choice])
        if options.continuous_usage_stats:
            chunk["usage"] = self._usage(count)
        return to_event(chunk)

    @property
    def _chunk_kind(self) -> str:
        return "chat.completion.chunk" if self.is_chat else "text_completion"

    def _frame(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        prefix = "chatcmpl" if self.is_chat else "cmpl"
        return {
            "id": f"{prefix}-{self.identifier}",
            "object": kind,
            "created": self.created_s,
            "model": self.model,
            "choices": choices,
        }

    def _usage(self, count: int) -> dict[str, int]:
        return {
            "prompt_tokens": self.num_prompt_tokens,
            "total_tokens": self.num_prompt_tokens + count,
            "completion_tokens": count,
        }


def error_content(message: str, kind: str, parameter: str | None, code: int) -> dict[str, Any]:
    """Return an error as OpenAI's API words it."""
    return {"error": {"message": message, "type": kind, "param": parameter, "code": code}}


def to_event(content: dict[str, Any]) -> bytes:
    """Write one server-sent event."""
    return f"data: {json.dumps(content, separators=(',', ':'))}\n\n".encode()
