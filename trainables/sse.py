"""Server-sent events of a streamed answer, read without parsing JSON.

The client shares the machine's cores with the engine in small set-ups and reads tens of thousands
of events per second in large ones; all it needs of an event is the running token count. Servers
that tell it at the end only are read by counting the events that carry text.
"""

import re

_COUNT = b'"completion_tokens":'
_NUMBER = re.compile(rb" *\d+")
_PROMPT_COUNT = re.compile(rb'"prompt_tokens": *(\d+)')
# A string in JSON cannot hold these keys: their quotes would be escaped.
_TEXT = re.compile(rb'"(?:text|content|reasoning|reasoning_content)": *"[^"]')
# The space after the colon is the server's choice. What stands in a pair with each pattern is found
# much sooner, and is hardly ever there.
_ERROR, _ERROR_HINT = re.compile(rb'data: ?\{ *"error":'), b'"error":'
_DONE, _DONE_HINT = re.compile(rb"data: ?\[DONE\]"), b"[DONE]"
_END = b"\n\n"


class CompletionStream:
    """Follow one streamed answer through chunks of bytes that may break anywhere.

    Attributes:
        num_tokens: Output tokens so far, as counted by the engine; events with text, where it does
            not tell.
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
    def tokens_told(self) -> int | None:
        """Output tokens so far, if it is the engine that counts them."""
        return self.num_tokens if self._with_usage else None

    @property
    def prompt_tokens(self) -> int | None:
        """Prompt tokens as counted by the engine; None if it has not told."""
        told = _PROMPT_COUNT.search(self._with_usage)
        return int(told[1]) if told else None

    def feed(self, chunk: bytes) -> int:
        """Take the next bytes and return how many tokens became known with them."""
        data = self._rest + chunk if self._rest else chunk
        if b"\r" in data:
            # A pair that the chunk cuts in two is whole with the next one: no event ends in it.
            data = data.replace(b"\r\n", b"\n")
        end = data.rfind(_END)
        if end < 0:
            self._rest = data
            return 0
        end += len(_END)
        self._rest = data[end:]
        return self._read(data[:end])

    def _read(self, events: bytes) -> int:
        if _ERROR_HINT in events and self.error is None and (found := _ERROR.search(events)):
            start = found.start()
            self.error = events[start : events.index(_END, start)].decode("utf-8", "replace")
        if _DONE_HINT in events and _DONE.search(events):
            self.is_done = True
        before = self.num_tokens
        told = _last_count(events)
        if told is not None:
            self._with_usage = events
            self.num_tokens = told
        elif not self._with_usage:
            self.num_tokens += len(_TEXT.findall(events))
        return self.num_tokens - before


def _last_count(events: bytes) -> int | None:
    """Counts only grow, so the last one knows them all; a server may write null for one."""
    start = events.rfind(_COUNT)
    while start >= 0:
        number = _NUMBER.match(events, start + len(_COUNT))
        if number:
            return int(number[0])
        start = events.rfind(_COUNT, 0, start)
    return None
