"""The load client: open loop, every request sent when it is due, whatever the engine does.

Waiting for answers before sending more would slow the load down just when the engine is slow, and
hide exactly the delays that a service's users would see (coordinated omission).
"""

import asyncio
import errno
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from scoot_ray.core.request import Request, RequestRecord
from trainables.clock import Clock
from trainables.engines.endpoint import Endpoint
from trainables.prompts import PromptMaker
from trainables.sse import CompletionStream

TIMEOUT = "timeout"
ERROR_CHARACTERS = 200
KNOCK_AGAIN_S = 0.005
_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Message:
    """Pair a request with the bytes to send, written before the load so that sending is quick."""

    request: Request
    body: bytes


def write_messages(requests: Sequence[Request], prompts: PromptMaker, model: str) -> list[Message]:
    """Write the body of every request: prompt as token ids, length of the answer forced."""
    return [Message(request, _body(request, prompts.make(request), model)) for request in requests]


def _body(request: Request, prompt: list[int], model: str) -> bytes:
    content = {
        "model": model,
        "prompt": prompt,
        "max_tokens": request.output_tokens,
        "min_tokens": request.output_tokens,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
        # A chunk may carry several tokens; only the engine knows how many.
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    return json.dumps(content, separators=(",", ":")).encode()


class LoadClient:
    """Send requests to an endpoint and record what happens to each; errors are recorded too.

    Use as an asynchronous context manager: leaving it abandons the requests still in flight.

    Args:
        endpoint: The server.
        clock: Tells the time and waits for arrivals.
        timeout_s: Seconds after which an unfinished request is given up.
    """

    def __init__(self, endpoint: Endpoint, clock: Clock, timeout_s: float) -> None:
        self._url = f"{endpoint.url}/v1/completions"
        self._clock = clock
        self._timeout_s = timeout_s
        self._session = aiohttp.ClientSession(
            connector=endpoint.connector(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        self._in_flight: set[asyncio.Task[RequestRecord]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        await self._session.close()

    async def send(self, messages: Sequence[Message]) -> list[asyncio.Task[RequestRecord]]:
        """Send every message at its arrival time and return once the last one is under way."""
        start_s = self._clock.now()
        tasks = []
        for message in messages:
            await self._clock.sleep_until(start_s + message.request.arrival_s)
            task = asyncio.create_task(self._exchange(message, start_s))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
            tasks.append(task)
        return tasks

    async def drain(self, tasks: Sequence[asyncio.Task[RequestRecord]]) -> list[RequestRecord]:
        """Return the records once every request has ended, in the order of sending."""
        return await asyncio.gather(*tasks)

    async def _exchange(self, message: Message, start_s: float) -> RequestRecord:
        answer = _Answer(self._clock, start_s)
        error: str | None
        try:
            async with asyncio.timeout(self._timeout_s):
                error = await self._stream(message, answer)
        except TimeoutError:
            error = TIMEOUT
        except (aiohttp.ClientError, OSError) as reason:
            error = f"connection: {reason}"[:ERROR_CHARACTERS]
        return answer.record(message.request, error)

    async def _stream(self, message: Message, answer: "_Answer") -> str | None:
        """Receive one answer; return what was wrong with it, if anything."""
        while True:
            try:
                return await self._stream_once(message, answer)
            except aiohttp.ClientConnectorError as reason:
                # A Unix socket whose queue of new connections is full refuses more at once, where
                # TCP would knock again by itself; the server is slow, not gone.
                if reason.errno != errno.EAGAIN:
                    raise
                await asyncio.sleep(KNOCK_AGAIN_S)

    async def _stream_once(self, message: Message, answer: "_Answer") -> str | None:
        stream = CompletionStream()
        async with self._session.post(self._url, data=message.body) as reply:
            if reply.status != 200:
                return f"http {reply.status}: {await reply.text()}"[:ERROR_CHARACTERS]
            async for chunk in reply.content.iter_any():
                answer.take(stream.feed(chunk))
        if stream.error is not None:
            return stream.error[:ERROR_CHARACTERS]
        if not stream.is_done:
            return "connection: the answer was cut off"
        wanted = message.request.output_tokens
        if stream.num_tokens != wanted:
            return f"length: expected {wanted} tokens, got {stream.num_tokens}"
        return None


class _Answer:
    """Note when the tokens of one answer arrive, in seconds from the start of the load."""

    def __init__(self, clock: Clock, start_s: float) -> None:
        self._clock = clock
        self._start_s = start_s
        self._sent_s = self._now_s()
        self._first_s: float | None = None
        self._last_s: float | None = None
        self._gaps_s: list[float] = []
        self._num_tokens = 0

    def take(self, num_tokens: int) -> None:
        """Note the arrival of `num_tokens` tokens at once."""
        if num_tokens < 1:
            return
        now_s = self._now_s()
        if self._last_s is None:
            self._first_s = now_s
        else:
            self._gaps_s.append(now_s - self._last_s)
        # Tokens that come in one chunk come together: nothing passes between them.
        self._gaps_s.extend([0.0] * (num_tokens - 1))
        self._last_s = now_s
        self._num_tokens += num_tokens

    def record(self, request: Request, error: str | None) -> RequestRecord:
        """Close the record of a request that has just ended."""
        return RequestRecord(
            due_s=request.arrival_s,
            sent_s=self._sent_s,
            first_token_s=self._first_s,
            last_token_s=self._last_s,
            finished_s=self._now_s(),
            prompt_tokens=request.prompt_tokens,
            output_tokens=self._num_tokens,
            error=error,
            token_gaps_s=tuple(self._gaps_s),
        )

    def _now_s(self) -> float:
        return self._clock.now() - self._start_s
