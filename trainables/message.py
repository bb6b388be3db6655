"""The requests of a load as bytes, written before it begins so that sending is quick."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scoot_ray.core.request import Request
from trainables.prompts import PromptMaker, ordinary_tokens
from trainables.words import Words

COMPLETIONS = "/v1/completions"
CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Message:
    """Pair a request with the bytes to send, and the path to send them to."""

    request: Request
    path: str
    body: bytes


class MessageWriter(Protocol):
    """Write requests in one of the forms that servers take."""

    def write(self, requests: Sequence[Request]) -> list[Message]:
        """Return a message for every request; the length of its answer is forced."""
        ...


class TokenIdWriter:
    """Write completions whose prompts are token ids: exact in length and in what they share.

    Args:
        model: The name that requests must carry.
        vocab_size: Tokens that the model knows.
        seed: The same seed gives the same prompts.
    """

    def __init__(self, model: str, vocab_size: int, seed: int) -> None:
        self._model = model
        self._prompts = PromptMaker(ordinary_tokens(vocab_size), seed)

    def write(self, requests: Sequence[Request]) -> list[Message]:
        """Return a message for every request."""
        return [self._message(request) for request in requests]

    def _message(self, request: Request) -> Message:
        prompt = {"prompt": self._prompts.make(request)}
        return Message(request, COMPLETIONS, stream_body(self._model, prompt, request))


class TextWriter:
    """Write completions or chats whose texts encode to the lengths of the trace.

    Args:
        model: The name that requests must carry.
        words: What texts are made of.
        seed: The same seed gives the same texts.
        path: `COMPLETIONS` or `CHAT`.
        num_template_tokens: Tokens that the server adds to every text, such as those of a chat
            template; a text is so much shorter.
    """

    def __init__(
        self, model: str, words: Words, seed: int, path: str, num_template_tokens: int = 0
    ) -> None:
        self._model = model
        self._words = words
        self._prompts = PromptMaker(range(len(words.pieces)), seed)
        self._path = path
        self._num_template_tokens = num_template_tokens

    def write(self, requests: Sequence[Request]) -> list[Message]:
        """Return a message for every request."""
        return [self._message(request) for request in requests]

    def _message(self, request: Request) -> Message:
        # The template's tokens come first for the most part, so they take the place of the first.
        skipped = min(self._num_template_tokens, request.prompt_tokens - 1)
        prompt = prompt_field(self._path, self._words.text(self._prompts.make(request)[skipped:]))
        return Message(request, self._path, stream_body(self._model, prompt, request))


def prompt_field(path: str, text: str) -> dict[str, Any]:
    """Return a text as the field of a body in which an API wants it."""
    if path == CHAT:
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text}


def stream_body(model: str, prompt: Mapping[str, Any], request: Request) -> bytes:
    """Write the body of a request for exactly as many tokens as the trace has, streamed."""
    content = {
        "model": model,
        **prompt,
        "max_tokens": request.output_tokens,
        "min_tokens": request.output_tokens,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
        # A chunk may carry several tokens; only the engine knows how many.
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    return json.dumps(content, separators=(",", ":")).encode()
