"""Server-sent events of a streamed answer, read without parsing JSON.

The client shares the machine's cores with the engine in small set-ups and reads tens of thousands
of events per second in large ones; all it needs of an event is the running token count. Servers
that tell it at the end only are read by counting the events that carry text.
"""

import re

_COUNT = b'"completion_tokens":'
_PROMPT_COUNT = re.compile(rb'"prompt_tokens": *(\d+)')
# A string in JSON cannot hold these keys: their quotes would be escaped.
_TEXT = re.compile(rb'"(?:text|content|reasoning|reasoning_content)": *"[^"]')
_ERROR = b'data: {"error":'
_DONE = b"data: [DONE]"
_END = b"\n\n"
_DIGITS = b"0123456789"


class CompletionStream:
    """Follow one streamed answer through chunks of bytes that may break anywhere.

    Attributes:
        num_tokens: Output tokens so far, as counted by the engine.
        is_done: The stream was ended by the engine, not cut off.
        error: The engine's error event, if there was one.
    """

    def __init__(self) -> None:
        self.num_tokens = 0
        self.is_done = False
        self.error: str | None = None
        self._rest = b""
        self._with_usage = b""

    @property
    def prompt_tokens(self) -> int | None:
        """Prompt tokens as counted by the engine; None if it has not told."""
        told = _PROMPT_COUNT.search(self._with_usage)
        return int(told[1]) if told else None

    def feed(self, chunk: bytes) -> int:
        """Take the next bytes and return how many tokens became known with them."""
        data = self._rest + chunk if self._rest else chunk
        end = data.rfind(_END)
        if end < 0:
            self._rest = data
            return 0
        end += len(_END)
        self._rest = data[end:]
        return self._read(data[:end])

    def _read(self, events: bytes) -> int:
        if _ERROR in events and self.error is None:
            start = events.index(_ERROR)
            self.error = events[start : events.index(_END, start)].decode("utf-8", "replace")
        if _DONE in events:
            self.is_done = True
        before = self.num_tokens
        # Counts only grow, so the last event of a chunk knows them all.
        start = events.rfind(_COUNT)
        if start >= 0:
            self._with_usage = events
            self.num_tokens = _integer_at(events, start + len(_COUNT))
        elif not self._with_usage:
            self.num_tokens += len(_TEXT.findall(events))
        return self.num_tokens - before


def _integer_at(data: bytes, start: int) -> int:
    while data[start : start + 1] == b" ":
        start += 1
    end = start
    while data[end : end + 1] and data[end] in _DIGITS:
        end += 1
    return int(data[start:end])
