"""A streaming server whose timing is known: what a load client measures is held against it.

    python -m benchmarks.timing_server --port N [--uds PATH] [--ttft 0.1] [--tpot 0.02]

Every answer has its first token `ttft` seconds after the whole request has come, and one more each
`tpot` seconds, at times that are fixed beforehand, so that delays do not add up. When it sent what
is written down as it happens, on the clock that all processes of the machine share, and told by
`GET /records`; `DELETE /records` forgets it. Answers look like vLLM's: server-sent events with a
running token count, on `/v1/completions` and `/v1/chat/completions`.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer
import uvloop

from benchmarks.entry import run_command

MODEL = "timing"
_NUM_TOKENS = re.compile(rb'"max(?:_completion)?_tokens": ?(\d+)')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Timing:
    """Fix the times of an answer, in seconds: to the first token, and from token to token."""

    ttft_s: float
    tpot_s: float


@dataclass(slots=True)
class Sent:
    """Note when things happened to one request, in seconds of the system's monotonic clock.

    Attributes:
        received_s: The last byte of the request came.
        first_s: The first token was handed to the operating system.
        last_s: The last token was.
        num_tokens: Tokens of the answer.
    """

    received_s: float
    first_s: float = 0.0
    last_s: float = 0.0
    num_tokens: int = 0


@dataclass
class Journal:
    """Keep what was received and sent since it was last cleared."""

    num_received: int = 0
    finished: list[Sent] = field(default_factory=list)

    def to_json(self) -> bytes:
        """Return everything, for a client of the benchmark."""
        finished = [asdict(sent) for sent in self.finished]
        return json.dumps({"num_received": self.num_received, "finished": finished}).encode()

    def progress(self) -> bytes:
        """Return how many requests have come, and how many were answered."""
        counts = {"num_received": self.num_received, "num_finished": len(self.finished)}
        return json.dumps(counts).encode()


class Connection(asyncio.Protocol):
    """Serve the requests of one connection, one after another."""

    def __init__(self, timing: Timing, journal: Journal) -> None:
        self._timing = timing
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._data = b""
        self._routes: dict[bytes, Callable[[bytes, bytes], None]] = {
            b"GET /records": partial(self._tell, journal.to_json),
            b"GET /progress": partial(self._tell, journal.progress),
            b"DELETE /records": self._clear,
            b"GET /v1/models": partial(self._tell, _models),
            b"GET /health": partial(self._tell, bytes),
            b"POST /v1/completions": self._answer,
            b"POST /v1/chat/completions": self._answer,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Serve a request once it is there as a whole."""
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._data, 0, end)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self._data) < size:
            return
        request, self._data = self._data[:size], self._data[size:]
        method, path, _ = request.split(b" ", 2)
        route = self._routes.get(method + b" " + path)
        if route is None:
            self._reply(b"{}", status=b"404 Not Found")
        else:
            route(path, request[end + 4 :])

    def _answer(self, path: bytes, body: bytes) -> None:
        sent = Sent(received_s=time.perf_counter())
        self._journal.num_received += 1
        asked = _NUM_TOKENS.search(body)
        num_tokens = int(asked[1]) if asked else 16
        if b'"stream":true' not in body and b'"stream": true' not in body:
            self._loop.call_later(self._timing.ttft_s, self._reply, _whole(path, num_tokens))
            return
        self._transport.write(_HEAD)
        self._at(
            sent.received_s + self._timing.ttft_s, partial(self._token, path, num_tokens, sent)
        )

    def _at(self, time_s: float, call: Callable[[], None]) -> None:
        # The loop's timers count whole milliseconds and may be early by a part of one.
        delay_s = time_s - time.perf_counter()
        if delay_s > 0:
            self._loop.call_later(max(delay_s, 0.001), self._at, time_s, call)
        else:
            call()

    def _token(self, path: bytes, num_wanted: int, sent: Sent) -> None:
        if self._transport.is_closing():
            return
        sent.num_tokens += 1
        event = _event(path, sent.num_tokens, is_last=sent.num_tokens == num_wanted)
        self._transport.write(event)
        sent.last_s = time.perf_counter()
        if sent.num_tokens == 1:
            sent.first_s = sent.last_s
        if sent.num_tokens < num_wanted:
            due_s = sent.received_s + self._timing.ttft_s + sent.num_tokens * self._timing.tpot_s
            self._at(due_s, partial(self._token, path, num_wanted, sent))
        else:
            self._transport.write(_usage(num_wanted) + _DONE)
            self._journal.finished.append(sent)

    def _tell(self, what: Callable[[], bytes], path: bytes, body: bytes) -> None:
        self._reply(what())

    def _clear(self, path: bytes, body: bytes) -> None:
        self._journal.num_received = 0
        self._journal.finished.clear()
        self._reply(b"{}")

    def _reply(self, body: bytes, status: bytes = b"200 OK") -> None:
        self._transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )


def _event(path: bytes, count: int, *, is_last: bool) -> bytes:
    text = b'"delta":{"content":" to"}' if path.endswith(b"chat/completions") else b'"text":" to"'
    reason = b'"length"' if is_last else b"null"
    return _chunk(
        b'data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"timing","choices":'
        b'[{"index":0,%s,"logprobs":null,"finish_reason":%s,"stop_reason":null}],"usage":'
        b'{"prompt_tokens":32,"total_tokens":%d,"completion_tokens":%d}}\n\n'
        % (text, reason, 32 + count, count)
    )


def _usage(count: int) -> bytes:
    return _chunk(
        b'data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"timing",'
        b'"choices":[],"usage":{"prompt_tokens":32,"total_tokens":%d,"completion_tokens":%d}}\n\n'
        % (32 + count, count)
    )


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _whole(path: bytes, num_tokens: int) -> bytes:
    text = " to" * num_tokens
    is_chat = path.endswith(b"chat/completions")
    said = {"message": {"role": "assistant", "content": text}} if is_chat else {"text": text}
    usage = {"prompt_tokens": 32, "total_tokens": 32 + num_tokens, "completion_tokens": num_tokens}
    choice = {"index": 0, "finish_reason": "length", **said}
    return json.dumps({"id": "1", "model": MODEL, "choices": [choice], "usage": usage}).encode()


def _models() -> bytes:
    return json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode()


async def serve(timing: Timing, *, socket: Path | None, port: int) -> None:
    """Serve on a port, and on a Unix socket if one is named, until the process is ended."""
    loop = asyncio.get_running_loop()
    make = partial(Connection, timing, Journal())
    async with AsyncExitStack() as servers:
        await servers.enter_async_context(
            await loop.create_server(make, "127.0.0.1", port, backlog=1024)
        )
        if socket is not None:
            await servers.enter_async_context(
                await loop.create_unix_server(make, str(socket), backlog=1024)
            )
        await asyncio.Event().wait()


def main(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8123,
    uds: Annotated[Path | None, typer.Option(help="Unix socket to listen on as well.")] = None,
    ttft: Annotated[float, typer.Option(help="Seconds to the first token.")] = 0.1,
    tpot: Annotated[float, typer.Option(help="Seconds from token to token.")] = 0.02,
) -> None:
    """Serve answers whose timing is known."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Timing(ttft, tpot), socket=uds, port=port))


if __name__ == "__main__":
    run_command(main)
