"""The scheduler's seam, and what all variants share: queues, preemption, postprocessing."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator

from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.decode_batch import DecodeBatch
from trainables.simulator.sequence import Sequence


class Scheduler(ABC):
    """Decide which tokens each step computes; a variant implements `schedule` alone.

    Attributes:
        waiting: Sequences that hold no blocks, in order of arrival.
        running: Sequences that hold blocks, by number, in order of arrival.
        prefilling: Those of the running ones whose prompts are not computed yet.
        decoding: The other running ones.
        num_preemptions: So far.
    """

    def __init__(self, config: EngineConfig, block_manager: BlockManager) -> None:
        self.config = config
        self.block_manager = block_manager
        self.waiting: deque[Sequence] = deque()
        self.running: dict[int, Sequence] = {}
        self.prefilling: dict[int, Sequence] = {}
        self.decoding = DecodeBatch(config.block_size)
        self.num_preemptions = 0

    @abstractmethod
    def schedule(self, now_s: float) -> Batch:
        """Choose the next step's tokens and give their sequences the blocks for them.

        An empty batch means that nothing can run now although requests are waiting.
        """

    @property
    def num_unfinished(self) -> int:
        """Count the sequences that wait or run."""
        return len(self.waiting) + len(self.running)

    def unfinished(self) -> Iterator[tuple[Sequence, int]]:
        """Yield the sequences that wait or run, with the tokens that each has generated."""
        for sequence in (*self.waiting, *self.running.values()):
            num_tokens = len(sequence.token_times_s)
            if sequence in self.decoding:
                num_tokens += self.decoding.num_new_tokens(sequence)
            yield sequence, num_tokens

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence that has arrived."""
        self.waiting.append(sequence)

    def abort(self, sequence: Sequence) -> None:
        """Drop a sequence, wherever it is."""
        if sequence.number in self.running:
            self._stop_running(sequence)
            self.block_manager.free(sequence)
        else:
            self.waiting.remove(sequence)

    def postprocess(self, batch: Batch, now_s: float) -> list[Sequence]:
        """Account for a step that ended at `now_s`.

        Returns:
            The sequences that got their last token.
        """
        finished = self.decoding.advance(now_s) if batch.num_decodes else []
        for sequence, num_tokens in batch.prefills:
            sequence.num_computed_tokens += num_tokens
            self.block_manager.commit(sequence)
            if sequence.num_computed_tokens < sequence.num_tokens:
                continue
            del self.prefilling[sequence.number]
            if sequence.append_token(now_s):
                finished.append(sequence)
            else:
                self.decoding.join(sequence)
        for sequence in finished:
            sequence.finished_s = now_s
            del self.running[sequence.number]
            self.block_manager.free(sequence)
        return finished

    def _grow(self, sequence: Sequence, num_tokens: int, batch: Batch) -> bool:
        """Make room for `num_tokens` tokens, preempting from the back of the running queue.

        Returns:
            False when the sequence itself was the last one left to preempt.
        """
        while not self.block_manager.allocate(sequence, num_tokens):
            if self._preempt_last(batch) is sequence:
                return False
        return True

    def _grow_decodes(self, batch: Batch) -> None:
        """Give every decoding sequence the room for its next token, or preempt it."""
        growing = self.decoding.without_room()
        if self.block_manager.take(len(growing)):
            return
        for sequence in sorted(growing, key=lambda sequence: sequence.number):
            # Those behind a sequence that was preempted have been preempted before it.
            if sequence not in self.decoding or not self._grow_decode(sequence, batch):
                return

    def _grow_decode(self, sequence: Sequence, batch: Batch) -> bool:
        """Take a block for a decoding sequence, which gets it when the step has run."""
        while not self.block_manager.take(1):
            if self._preempt_last(batch) is sequence:
                return False
        return True

    def _preempt_last(self, batch: Batch) -> Sequence:
        """Take the blocks of the last to arrive; it will compute all of its tokens again.

        Victims leave the running queue in reverse order of arrival, so that both queues stay
        sorted by arrival.
        """
        sequence = next(reversed(self.running.values()))
        self._stop_running(sequence)
        self.block_manager.free(sequence, is_resumed_later=True)
        sequence.num_computed_tokens = 0
        sequence.num_preemptions += 1
        self.waiting.appendleft(sequence)
        batch.num_preempted += 1
        self.num_preemptions += 1
        return sequence

    def _stop_running(self, sequence: Sequence) -> None:
        del self.running[sequence.number]
        if self.prefilling.pop(sequence.number, None) is None:
            self.decoding.leave(sequence)

    def _admit(self, sequence: Sequence, num_cached_tokens: int) -> None:
        """Move the head of the waiting queue to the running ones."""
        self.waiting.popleft()
        self.running[sequence.number] = sequence
        self.prefilling[sequence.number] = sequence
        sequence.num_computed_tokens = num_cached_tokens
        # What a preempted sequence finds again are its own blocks; vLLM counts those apart, too.
        if not sequence.num_preemptions:
            sequence.num_cached_tokens = num_cached_tokens
