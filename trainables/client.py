"""The load client: open loop, every request sent when it is due, whatever the engine does.

Waiting for answers before sending more would slow the load down just when the engine is slow, and
hide exactly the delays that a service's users would see (coordinated omission).
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from scoot_ray.core.partial_load import InFlight, PartialLoad
from scoot_ray.core.request import RequestRecord
from trainables.answer import Answer
from trainables.clock import Clock
from trainables.connection import OK
from trainables.engines.endpoint import Endpoint
from trainables.message import Message
from trainables.progress import Progress
from trainables.route import Route
from trainables.sse import CompletionStream

TIMEOUT = "timeout"
ERROR_CHARACTERS = 200
KNOCK_AGAIN_S = 0.005


class LoadClient:
    """Send requests to an endpoint and record what happens to each; errors are recorded too.

    Use as an asynchronous context manager: leaving it abandons the requests still in flight.

    Args:
        endpoint: The server; of several replicas, each request goes to the one with the least.
        clock: Tells the time and waits for arrivals.
        timeout_s: Seconds after which an unfinished request is given up.
    """

    def __init__(self, endpoint: Endpoint, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._routes = [Route(replica) for replica in endpoint.replicas]
        self._in_flight: set[asyncio.Task[RequestRecord]] = set()
        self._start_s = 0.0
        self._answers: dict[int, tuple[Answer, CompletionStream]] = {}
        self._ended: list[tuple[int, RequestRecord]] = []

    async def __aenter__(self) -> Self:
        # What is there already (Ray, torch) takes the collector a tenth of a second to walk, and
        # everything would be late by that; frozen, it is passed over.
        gc.freeze()
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
        for route in self._routes:
            route.close()
        gc.unfreeze()

    async def send(self, messages: Sequence[Message]) -> list[asyncio.Future[RequestRecord]]:
        """Send every message at its arrival time and return once the last one is under way."""
        return await self.send_from(self._clock.now(), messages)

    async def send_from(
        self, start_s: float, messages: Sequence[Message]
    ) -> list[asyncio.Future[RequestRecord]]:
        """Send every message `arrival_s` after `start_s`, a time of the clock."""
        self._start_s = start_s
        self._answers.clear()
        self._ended.clear()
        tasks: list[asyncio.Future[RequestRecord]] = []
        for index, message in enumerate(messages):
            await self._clock.sleep_until(start_s + message.request.arrival_s)
            task = asyncio.create_task(self._exchange(index, message, start_s))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
            tasks.append(task)
        return tasks

    async def drain(self, tasks: Sequence[asyncio.Future[RequestRecord]]) -> list[RequestRecord]:
        """Return the records once every request has ended, in the order of sending."""
        return await asyncio.gather(*tasks)

    def progress(self) -> Progress:
        """Tell how far the messages have come that were sent last."""
        ended, self._ended = self._ended, []
        in_flight = [
            InFlight(i, answer.sent_s, answer.first_token_s, stream.tokens_told)
            for i, (answer, stream) in self._answers.items()
            if not answer.has_all_tokens
        ]
        return Progress(self._clock.now() - self._start_s, ended, in_flight)

    def update(self, load: PartialLoad) -> None:
        """Tell what has happened to the messages that were sent last, which `load` is made of."""
        progress = self.progress()
        for index, record in progress.ended:
            load.end(index, record)
        load.observe(progress.now_s, progress.in_flight)

    async def _exchange(self, index: int, message: Message, start_s: float) -> RequestRecord:
        answer = Answer(self._clock, start_s, message.request.output_tokens)
        stream = CompletionStream()
        self._answers[index] = answer, stream
        error: str | None
        try:
            async with asyncio.timeout(self._timeout_s):
                with self._least_busy() as route:
                    error = await _stream(route, message, answer, stream)
        except TimeoutError:
            error = TIMEOUT
        except OSError as reason:
            error = f"connection: {reason}"[:ERROR_CHARACTERS]
        record = answer.record(message.request, stream.prompt_tokens, error)
        self._ended.append((index, record))
        del self._answers[index]
        return record

    def _least_busy(self) -> Route:
        """Return the way to the replica with the fewest requests in flight; the first of equals."""
        return min(self._routes, key=lambda route: route.num_in_flight)


async def _stream(
    route: Route, message: Message, answer: Answer, stream: CompletionStream
) -> str | None:
    """Receive one answer; return what was wrong with it, if anything."""
    status, refusal = await _post(route, message, lambda part: answer.take(stream.feed(part)))
    if status != OK:
        return f"http {status}: {refusal}"[:ERROR_CHARACTERS]
    if stream.error is not None:
        return stream.error[:ERROR_CHARACTERS]
    if not stream.is_done:
        return "connection: the answer was cut off"
    wanted = message.request.output_tokens
    if stream.num_tokens != wanted:
        return f"length: expected {wanted} tokens, got {stream.num_tokens}"
    return None


async def _post(route: Route, message: Message, take: Callable[[bytes], object]) -> tuple[int, str]:
    while True:
        try:
            return await route.post(message, take)
        except BlockingIOError:
            # A Unix socket whose queue of new connections is full refuses more at once, where TCP
            # would knock again by itself; the server is slow, not gone.
            await asyncio.sleep(KNOCK_AGAIN_S)
