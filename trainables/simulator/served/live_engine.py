"""The simulated engine in real time: every step ends when the wall clock reaches its virtual end.

Nothing drifts, because ends are absolute times. A request is stamped with its arrival on the wall
clock, and a step takes in exactly those that had been queued when it began in virtual time, however
late the operating system wakes us. So the served engine computes what the virtual one would.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from scoot_ray.core.failure import Failure
from scoot_ray.core.request import Request
from trainables.clock import Clock
from trainables.simulator.engine import Engine, EngineDeathError
from trainables.simulator.sequence import Sequence
from trainables.simulator.served.fault import Fault
from trainables.simulator.served.generation import Generation
from trainables.simulator.served.metrics_page import MetricsPage
from trainables.simulator.timeline import Timeline


class LiveEngine:
    """Run one engine beside the wall clock.

    Args:
        engine: Just made; nobody else may touch it.
        clock: Wall time.
        page: Counts what happens.
        stream_interval: Tokens that a client gets at once, after the first.
        fault: What goes wrong, if anything is to.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        page: MetricsPage,
        *,
        stream_interval: int = 1,
        fault: Fault | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._page = page
        self._stream_interval = stream_interval
        self._fault = fault or Fault()
        self._timeline = engine.timeline = Timeline()
        self._num_requests = 0
        self._arrived: deque[Generation] = deque()
        self._open: dict[int, Generation] = {}
        self._wake_up = asyncio.Event()
        self._death: Failure | None = None

    @property
    def is_dead(self) -> bool:
        """Tell whether the engine has died."""
        return self._death is not None

    @property
    def hangs(self) -> bool:
        """Tell whether nothing is answered any more."""
        return self._fault.hangs(self._num_requests)

    async def run(self) -> NoReturn:
        """Run step after step, as long as there is work, for ever.

        Raises:
            EngineDeathError: If the engine dies; whoever waits for an answer is told as well.
        """
        try:
            while True:
                await self._wait_for_work()
                self._queue_arrivals()
                self._require_life()
                ended = self._engine.step()
                await self._clock.sleep_until(self._engine.now_s)
                self._publish(ended)
                # Also when the steps are too short for this machine, the clients get their turn.
                await asyncio.sleep(0)
        except EngineDeathError as death:
            self._death = death.failure
            for generation in (*self._open.values(), *self._arrived):
                generation.fail(death.failure)
            raise

    @contextmanager
    def generate(self, request: Request) -> Iterator[Generation]:
        """Serve a request that arrives now; leaving early aborts it."""
        self._num_requests += 1
        request = replace(request, arrival_s=self._clock.now())
        generation = Generation(request, self._stream_interval)
        if self._death is not None:
            generation.fail(self._death)
        self._arrived.append(generation)
        self._wake_up.set()
        try:
            yield generation
        finally:
            if not (generation.is_complete or self.is_dead):
                self._abort(generation)

    async def _wait_for_work(self) -> None:
        while self.hangs or not (self._engine.scheduler.num_unfinished or self._arrived):
            self._wake_up.clear()
            await self._wake_up.wait()

    def _queue_arrivals(self) -> None:
        """Queue what is there when the next step begins; an idle engine begins with the first."""
        engine = self._engine
        while self._arrived:
            queued_s = self._arrived[0].request.arrival_s + engine.front_end_s
            if engine.scheduler.num_unfinished and queued_s > engine.now_s:
                return
            generation = self._arrived.popleft()
            generation.sequence = engine.submit(generation.request)
            self._open[generation.sequence.number] = generation

    def _require_life(self) -> None:
        failure = self._fault.failure(self._num_requests)
        if failure is not None:
            raise EngineDeathError(failure)

    def _publish(self, ended: Iterable[Sequence]) -> None:
        """Hand out the tokens of the step that has just ended."""
        scheduler = self._engine.scheduler
        for sample in self._timeline.take():
            num_tokens = sum(
                self._hand_out(sequence, sample.start_s)
                for sequence in (*scheduler.running.values(), *ended)
            )
            self._page.count_step(sample, num_tokens)
        for sequence in ended:
            self._close(sequence, "length")
        num_waiting = len(scheduler.waiting) + len(self._arrived)
        manager = scheduler.block_manager
        kv_usage = manager.num_used_blocks / manager.num_blocks
        self._page.set_state(len(scheduler.running), num_waiting, kv_usage)

    def _hand_out(self, sequence: Sequence, step_start_s: float) -> int:
        """Hand out what one sequence got in a step; return the number of its new tokens."""
        generation = self._open.get(sequence.number)
        if generation is None:  # aborted while the step ran
            return 0
        if generation.scheduled_s is None:
            generation.scheduled_s = step_start_s
            generation.num_cached_tokens = sequence.num_cached_tokens
            self._page.count_admission(generation)
        num_tokens = self._num_tokens(sequence)
        num_new = num_tokens - generation.num_tokens
        if num_new:
            self._page.count_token(generation, self._engine.now_s)
            generation.advance(num_tokens, self._engine.now_s)
        return num_new

    def _num_tokens(self, sequence: Sequence) -> int:
        num_tokens = len(sequence.token_times_s)
        decoding = self._engine.scheduler.decoding
        return num_tokens + (decoding.num_new_tokens(sequence) if sequence in decoding else 0)

    def _abort(self, generation: Generation) -> None:
        sequence = generation.sequence
        if sequence is None:
            self._arrived.remove(generation)
            return
        if sequence.finished_s is None:
            self._engine.scheduler.abort(sequence)
            sequence.finished_s = self._engine.now_s
            sequence.error = "abort"
        self._close(sequence, "abort")

    def _close(self, sequence: Sequence, reason: str) -> None:
        generation = self._open.pop(sequence.number, None)
        if generation is not None:
            self._page.count_end(generation, reason)
