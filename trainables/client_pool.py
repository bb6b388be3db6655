"""A load client in several processes, for loads that are too much for one core."""

import asyncio
import math
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scoot_ray.core.errors import InfrastructureError
from scoot_ray.core.partial_load import PartialLoad
from scoot_ray.core.request import Request, RequestRecord
from trainables.client import LoadClient
from trainables.clock import Clock
from trainables.engines.endpoint import Endpoint
from trainables.load_process import read_frame, to_frame
from trainables.message import Message
from trainables.progress import Progress

ROOT = Path(__file__).parents[1]
# Of one core, rounded up from what `python -m benchmarks.load_client` measures.
CPU_PER_REQUEST_S, CPU_PER_TOKEN_S = 0.6e-3, 20e-6
# Above this share of a core, requests begin to wait for one another.
MAX_LOAD = 0.5
HANDING_OUT_S = 0.1  # from a load's frames to its start


def make_client(
    endpoint: Endpoint, clock: Clock, timeout_s: float, requests: Sequence[Request]
) -> "LoadClient | ClientPool":
    """Return a client that keeps the schedule of `requests`: in this process where it suffices."""
    num_processes = min(num_processes_for(requests), os.cpu_count() or 1)
    if num_processes == 1:
        return LoadClient(endpoint, clock, timeout_s)
    return ClientPool(endpoint, timeout_s, num_processes)


def num_processes_for(requests: Sequence[Request]) -> int:
    """Return how many processes a load takes, none of them busy for most of the time."""
    span_s = max(requests[-1].arrival_s - requests[0].arrival_s, 1.0)
    num_tokens = sum(request.output_tokens for request in requests)
    cpu_s = CPU_PER_REQUEST_S * len(requests) + CPU_PER_TOKEN_S * num_tokens
    return math.ceil(cpu_s / span_s / MAX_LOAD)


class ClientPool:
    """Deal out the messages of a load to several processes; used as `LoadClient` is.

    Args:
        endpoint: The server; of several replicas, each process sends to the one with the fewest of
            its own requests.
        timeout_s: Seconds after which an unfinished request is given up.
        num_processes: At least 1.
    """

    def __init__(self, endpoint: Endpoint, timeout_s: float, num_processes: int) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._num_processes = num_processes
        self._processes: list[Process] = []
        self._listening: set[asyncio.Task[None]] = set()
        self._latest: list[Progress] = []
        self._ended: list[tuple[int, RequestRecord]] = []

    async def __aenter__(self) -> Self:
        starts = (self._start() for _ in range(self._num_processes))
        self._processes = list(await asyncio.gather(*starts))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def send(self, messages: Sequence[Message]) -> list[asyncio.Future[RequestRecord]]:
        """Send every message at its arrival time and return once the last one is under way."""
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[RequestRecord]] = [loop.create_future() for _ in messages]
        start_s = time.perf_counter() + HANDING_OUT_S
        self._ended.clear()
        self._latest = [Progress(0.0, (), ()) for _ in self._processes]
        for number, process in enumerate(self._processes):
            assert process.stdin is not None, "it was started with a pipe"
            process.stdin.write(to_frame((start_s, messages[number :: self._num_processes])))
            task = asyncio.create_task(self._listen(number, futures))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)
        if messages:
            last_s = start_s + messages[-1].request.arrival_s
            await asyncio.sleep(last_s - time.perf_counter())
        return futures

    async def drain(self, futures: Sequence[asyncio.Future[RequestRecord]]) -> list[RequestRecord]:
        """Return the records once every request has ended, in the order of sending.

        Raises:
            InfrastructureError: If a process of the client was lost.
        """
        return await asyncio.gather(*futures)

    def update(self, load: PartialLoad) -> None:
        """Tell what has happened to the messages that were sent last, which `load` is made of."""
        for index, record in self._ended:
            load.end(index, record)
        self._ended.clear()
        # Of what the processes tell, as much as all of them know that have not ended their part.
        now_s = min(progress.now_s for progress in self._latest)
        if now_s == math.inf:
            return
        running = [one for progress in self._latest for one in progress.in_flight]
        load.observe(now_s, [one for one in running if one.sent_s <= now_s])

    async def _start(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "trainables.load_process",
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdin is not None, "it was started with a pipe"
        process.stdin.write(to_frame((self._endpoint, self._timeout_s)))
        await _read(process)
        return process

    async def _listen(self, number: int, futures: Sequence[asyncio.Future[RequestRecord]]) -> None:
        mine = futures[number :: self._num_processes]
        try:
            is_last = False
            while not is_last:
                progress, is_last = await _read(self._processes[number])
                progress = progress.renumbered(number, self._num_processes)
                self._latest[number] = replace(progress, now_s=math.inf) if is_last else progress
                self._ended += self._latest[number].ended
                for index, record in self._latest[number].ended:
                    futures[index].set_result(record)
        except InfrastructureError as error:
            for future in mine:
                if not future.done():
                    future.set_exception(error)


async def _read(process: Process) -> Any:
    assert process.stdout is not None, "it was started with a pipe"
    try:
        return await read_frame(process.stdout)
    except asyncio.IncompleteReadError:
        status = await process.wait()
        raise InfrastructureError(
            f"A process of the load client ended with status {status} before its load did; look "
            "for what killed it (memory?) and run the trial again."
        ) from None
