"""The engine's loop in virtual time: schedule, let the step take its time, postprocess."""

from collections import deque
from collections.abc import Sequence as Sequences
from dataclasses import dataclass

import numpy as np

from scoot_ray.core.request import Request
from scoot_ray.core.trial import Failure
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler import Scheduler
from trainables.simulator.sequence import Sequence
from trainables.simulator.step_cost import StepCost

# Standard deviation of the logarithm of a step's time: clocks, caches and the operating system
# make equal steps differ by about this much on an otherwise idle server.
STEP_JITTER = 0.015
JITTER_BATCH = 4096


@dataclass(frozen=True)
class Run:
    """Report one run of the engine.

    Attributes:
        sequences: One per request, in their order; all ended unless there was a failure.
        end_s: When the last step ended.
        failure: Why the engine died, if it did.
    """

    sequences: tuple[Sequence, ...]
    end_s: float
    failure: Failure | None = None


class Engine:
    """Serve requests; the KV cache outlives a run, so that a warm-up warms it."""

    def __init__(
        self,
        scheduler: Scheduler,
        step_cost: StepCost,
        memory: MemoryPlan,
        rng: np.random.Generator,
    ) -> None:
        self.scheduler = scheduler
        self.step_cost = step_cost
        self.memory = memory
        self._rng = rng
        self._jitter: list[float] = []
        self._num_sequences = 0
        self._peak = (0, 0)

    def run(self, requests: Sequences[Request], timeout_s: float) -> Run:
        """Serve requests from time 0 until the last one ended.

        Args:
            requests: Sorted by arrival.
            timeout_s: After so long a client gives up, and the request is aborted.
        """
        sequences = tuple(self._new_sequence(request) for request in requests)
        arriving = deque(sequences)
        alive: deque[Sequence] = deque()
        now_s = 0.0
        while arriving or self.scheduler.has_unfinished:
            if not self.scheduler.has_unfinished:
                now_s = max(now_s, arriving[0].request.arrival_s)
            while arriving and arriving[0].request.arrival_s <= now_s:
                sequence = arriving.popleft()
                alive.append(sequence)
                self.scheduler.add(sequence)
            self._abort_late(alive, now_s, timeout_s)
            batch = self.scheduler.schedule(now_s)
            if not batch.num_tokens:
                # Only a preemption, or having aborted everything, may leave a step empty.
                assert batch.num_preempted or not self.scheduler.has_unfinished, "engine stalled"
                continue
            failure = self._overflow(batch.num_tokens, batch.num_sampled)
            if failure:
                return Run(sequences, now_s, failure)
            now_s += self.step_cost.step_s(batch) * self._next_jitter()
            self.scheduler.postprocess(batch, now_s)
        return Run(sequences, now_s)

    def _new_sequence(self, request: Request) -> Sequence:
        self._num_sequences += 1
        return Sequence(self._num_sequences, request)

    def _abort_late(self, alive: deque[Sequence], now_s: float, timeout_s: float) -> None:
        """Abort what clients gave up on; all have the same patience, so the oldest go first."""
        while alive:
            oldest = alive[0]
            deadline_s = oldest.request.arrival_s + timeout_s
            if oldest.finished_s is None and deadline_s > now_s:
                return
            alive.popleft()
            if oldest.finished_s is None:
                self.scheduler.abort(oldest)
                oldest.error = "timeout"
                oldest.finished_s = deadline_s

    def _overflow(self, num_tokens: int, num_sampled: int) -> Failure | None:
        """Check the memory of a step that is larger than any before it."""
        peak_tokens, peak_sampled = self._peak
        if num_tokens <= peak_tokens and num_sampled <= peak_sampled:
            return None
        self._peak = (max(num_tokens, peak_tokens), max(num_sampled, peak_sampled))
        return self.memory.load_failure(num_tokens, num_sampled)

    def _next_jitter(self) -> float:
        if not self._jitter:
            self._jitter = self._rng.lognormal(0.0, STEP_JITTER, JITTER_BATCH).tolist()
        return self._jitter.pop()
