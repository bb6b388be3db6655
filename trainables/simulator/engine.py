"""The engine's loop in virtual time: schedule, let the step take its time, postprocess."""

from collections import deque
from collections.abc import Iterator
from math import inf

import numpy as np

from scoot_ray.core.failure import Failure
from scoot_ray.core.request import Request
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler import Scheduler
from trainables.simulator.sequence import Sequence
from trainables.simulator.step_cost import StepCost
from trainables.simulator.timeline import Timeline

# Standard deviation of the logarithm of a step's time: clocks, caches and the operating system
# make equal steps differ by about this much on an otherwise idle server.
STEP_JITTER = 0.015
JITTER_BATCH = 4096


class EngineDeathError(Exception):
    """The engine died of what it was asked to do."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Engine:
    """Serve requests; time passes only in `advance`, and nothing of a finished request is kept.

    Attributes:
        scheduler: Decides what each step computes.
        step_cost: Tells how long it takes.
        memory: Tells whether the GPU holds it.
        now_s: When the last step ended.
        num_steps: Steps so far.
        timeout_s: After so long a client gives up, and its request is aborted.
        front_end_s: Between a request's arrival and its entry into the queue.
        timeline: Receives a sample of every step, if there is one.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        step_cost: StepCost,
        memory: MemoryPlan,
        rng: np.random.Generator,
        *,
        timeout_s: float = inf,
        front_end_s: float = 0.0,
        timeline: Timeline | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.step_cost = step_cost
        self.memory = memory
        self.timeout_s = timeout_s
        self.front_end_s = front_end_s
        self.timeline = timeline
        self.now_s = 0.0
        self.num_steps = 0
        self._rng = rng
        self._jitter: list[float] = []
        self._num_sequences = 0
        self._by_deadline: deque[Sequence] = deque()
        self._last_ended = (0.0, 0)  # when the last step ended, and how many requests with it
        self._peak = (0, 0)

    def restart_clock(self) -> None:
        """Count time from 0 again; the KV cache stays, so that a warm-up warms it."""
        assert not self.scheduler.num_unfinished, "the clock of a busy engine cannot be restarted"
        self.now_s = 0.0
        self._last_ended = (0.0, 0)

    def num_in_flight(self, now_s: float) -> int:
        """Count the requests without their last token at `now_s`, which the last step may cover."""
        end_s, num_ended = self._last_ended
        return self.scheduler.num_unfinished + (num_ended if end_s > now_s else 0)

    def submit(self, request: Request) -> Sequence:
        """Take in a request; those submitted later must not have arrived earlier."""
        if not self.scheduler.num_unfinished:
            self.now_s = max(self.now_s, request.arrival_s + self.front_end_s)
        self._num_sequences += 1
        sequence = Sequence(self._num_sequences, request)
        self._by_deadline.append(sequence)
        self.scheduler.add(sequence)
        return sequence

    def advance(self, until_s: float = inf) -> Iterator[Sequence]:
        """Run the steps that begin before `until_s`, and yield the sequences that end.

        Raises:
            EngineDeathError: If a step does not fit in the memory.
        """
        while self.scheduler.num_unfinished and self.now_s < until_s:
            yield from self.step()

    def step(self) -> list[Sequence]:
        """Run one step; return the sequences that ended with it, aborted ones included."""
        aborted = self._abort_late()
        batch = self.scheduler.schedule(self.now_s)
        if not batch.num_tokens:
            # Only a preemption, or having aborted everything, may leave a step empty.
            assert batch.num_preempted or not self.scheduler.num_unfinished, "engine stalled"
            return aborted
        self._require_memory(batch.num_tokens, batch.num_sampled)
        duration_s = self.step_cost.step_s(batch) * self._next_jitter()
        if self.timeline is not None:
            self.timeline.add(self.now_s, duration_s, batch, self.scheduler)
        self.now_s += duration_s
        self.num_steps += 1
        finished = self.scheduler.postprocess(batch, self.now_s)
        self._last_ended = (self.now_s, len(finished))
        return aborted + finished if aborted else finished

    def _abort_late(self) -> list[Sequence]:
        """Abort what clients gave up on; all have the same patience, so the oldest go first."""
        aborted: list[Sequence] = []
        while self._by_deadline:
            oldest = self._by_deadline[0]
            deadline_s = oldest.request.arrival_s + self.timeout_s
            if oldest.finished_s is None and deadline_s > self.now_s:
                break
            self._by_deadline.popleft()
            if oldest.finished_s is None:
                self.scheduler.abort(oldest)
                oldest.error = "timeout"
                oldest.finished_s = deadline_s
                aborted.append(oldest)
        return aborted

    def _require_memory(self, num_tokens: int, num_sampled: int) -> None:
        """Check the memory of a step that is larger than any before it."""
        peak_tokens, peak_sampled = self._peak
        if num_tokens <= peak_tokens and num_sampled <= peak_sampled:
            return
        self._peak = (max(num_tokens, peak_tokens), max(num_sampled, peak_sampled))
        failure = self.memory.load_failure(num_tokens, num_sampled)
        if failure is not None:
            raise EngineDeathError(failure)

    def _next_jitter(self) -> float:
        if not self._jitter:
            self._jitter = self._rng.lognormal(0.0, STEP_JITTER, JITTER_BATCH).tolist()
        return self._jitter.pop()
