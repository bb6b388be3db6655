"""Prompts that are text: how many tokens they are, and what their beginnings share.

No tokenizer is at hand, so tokens are estimated from the length in UTF-8: 4 bytes a token is what
byte-pair encodings of English come to, and letters that take 3 bytes count nearer to a token each.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from traces.options import number_option, tokens_option
from traces.source import Source
from traces.values import MAX_TOKENS, shown, token_count

BYTES_PER_TOKEN = 4.0
BLOCK_TOKENS = 16
OPTIONS = ("bytes_per_token", "output_tokens")


class Prompt(NamedTuple):
    """Hold a prompt as a request needs it."""

    tokens: int
    prefix_hashes: tuple[int, ...]
    text: str | None


@dataclass
class PromptReader:
    """Read prompts and answers of one file, and remember whether any length was estimated."""

    bytes_per_token: float = BYTES_PER_TOKEN
    output_tokens: int | None = None
    notes: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source) -> "PromptReader":
        """Make a reader with the options of a source."""
        bytes_per_token = number_option(source, "bytes_per_token") or BYTES_PER_TOKEN
        return cls(bytes_per_token, tokens_option(source, "output_tokens"))

    def read(self, value: Any, stated_tokens: Any = None) -> Prompt:
        """Read a text, a list of token ids, or a list of turns or messages.

        Raises:
            ValueError: If it is none of these.
        """
        if isinstance(value, list) and value and all(type(item) is int for item in value):
            return Prompt(len(value), tuple(_blocks(value, BLOCK_TOKENS)), None)
        text = text_of(value)
        given = stated_tokens is not None and stated_tokens != ""
        tokens = token_count(stated_tokens) if given else self.count(text)
        size = max(1, round(BLOCK_TOKENS * self.bytes_per_token))
        blocks = _blocks(text.encode("utf-8", "surrogatepass"), size)
        return Prompt(tokens, tuple(blocks)[: tokens // BLOCK_TOKENS], text)

    def count(self, text: str) -> int:
        """Estimate the tokens of a text; at least one unless it is empty."""
        self.notes[f"token counts estimated from text, {self.bytes_per_token:g} bytes each"] = None
        num_bytes = len(text.encode("utf-8", "surrogatepass"))
        return min(MAX_TOKENS, max(1, round(num_bytes / self.bytes_per_token))) if text else 0

    def answer(self, stated_tokens: Any, response: Any = None) -> int | None:
        """Count an answer's tokens by what the row states, its text, or what the URI states."""
        if stated_tokens is not None and stated_tokens != "":
            return token_count(stated_tokens)
        if response is not None:
            return self.count(text_of(response))
        if self.output_tokens is not None:
            self.notes[f"{self.output_tokens} output tokens where a row says nothing"] = None
        return self.output_tokens


def text_of(value: Any) -> str:
    """Return the text of a prompt, message, or list of them.

    Raises:
        ValueError: If there is no text in it.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        return "\n".join(map(text_of, value))
    if isinstance(value, Mapping):
        for key in ("content", "value", "text"):
            if isinstance(value.get(key), (str, list)):
                return text_of(value[key])
    raise ValueError(f"expected text, got {shown(value)}")


def first_of(fields: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the first of these fields that holds something; None if none does."""
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _blocks(items: bytes | list[int], size: int) -> Iterator[int]:
    """Name the full blocks by their content; blocks of other files that are alike agree."""
    for start in range(0, len(items) - size + 1, size):
        block = items[start : start + size]
        content = block if isinstance(block, bytes) else repr(block).encode()
        # Eight bytes less one bit, so that other readers' signed integers hold them.
        digest = hashlib.blake2b(content, digest_size=8).digest()
        yield int.from_bytes(digest, "big") >> 1
