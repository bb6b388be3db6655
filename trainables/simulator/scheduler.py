"""The scheduler's seam, and what all variants share: queues, preemption, postprocessing."""

from abc import ABC, abstractmethod
from collections import deque

from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.sequence import Sequence


class Scheduler(ABC):
    """Decide which tokens each step computes; a variant implements `schedule` alone."""

    def __init__(self, config: EngineConfig, block_manager: BlockManager) -> None:
        self.config = config
        self.block_manager = block_manager
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []
        self.num_preemptions = 0

    @abstractmethod
    def schedule(self, now_s: float) -> Batch:
        """Choose the next step's tokens and give their sequences the blocks for them.

        An empty batch means that nothing can run now although requests are waiting.
        """

    @property
    def has_unfinished(self) -> bool:
        """Tell whether any sequence is waiting or running."""
        return bool(self.waiting or self.running)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence that has arrived."""
        self.waiting.append(sequence)

    def abort(self, sequence: Sequence) -> None:
        """Drop a sequence, wherever it is."""
        if sequence in self.running:
            self.running.remove(sequence)
            self.block_manager.free(sequence)
        else:
            self.waiting.remove(sequence)

    def postprocess(self, batch: Batch, now_s: float) -> None:
        """Account for a step that ended at `now_s`: new tokens, and sequences that finished."""
        finished: list[Sequence] = []
        for sequence in batch.decodes:
            sequence.num_computed_tokens += 1
            if sequence.append_token(now_s):
                finished.append(sequence)
        for sequence, num_tokens in batch.prefills:
            sequence.num_computed_tokens += num_tokens
            self.block_manager.commit(sequence)
            is_whole = sequence.num_computed_tokens == sequence.num_tokens
            if is_whole and sequence.append_token(now_s):
                finished.append(sequence)
        for sequence in finished:
            sequence.finished_s = now_s
            self.block_manager.free(sequence)
        if finished:
            self.running = [s for s in self.running if s.finished_s is None]

    def _grow(self, sequence: Sequence, num_tokens: int, batch: Batch) -> bool:
        """Make room for `num_tokens` tokens, preempting from the back of the running queue.

        Returns:
            False when the sequence itself was the last one left to preempt.
        """
        while not self.block_manager.allocate(sequence, num_tokens):
            victim = self.running.pop()
            self._preempt(victim, batch)
            if victim is sequence:
                return False
        return True

    def _preempt(self, sequence: Sequence, batch: Batch) -> None:
        """Take a sequence's blocks away; it will compute all of its tokens again.

        Victims leave the running queue in reverse order of arrival, so that both queues stay
        sorted by arrival.
        """
        self.block_manager.free(sequence)
        sequence.num_computed_tokens = 0
        sequence.num_preemptions += 1
        self.waiting.appendleft(sequence)
        batch.num_preempted += 1
        self.num_preemptions += 1

    def _admit(self, sequence: Sequence, num_cached_tokens: int) -> None:
        """Move the head of the waiting queue to the running ones."""
        self.waiting.popleft()
        self.running.append(sequence)
        sequence.num_computed_tokens = num_cached_tokens
        sequence.num_cached_tokens = num_cached_tokens
