"""The scheduler of vLLM V1: one token budget, running sequences first, chunks for all prompts."""

from trainables.simulator.batch import Batch
from trainables.simulator.scheduler import Scheduler


class SchedulerV1(Scheduler):
    """Fill a token budget with running sequences in order of arrival, then with waiting ones."""

    def schedule(self, now_s: float) -> Batch:
        """Choose the next step's tokens."""
        batch = Batch()
        self._schedule_running(batch)
        if not batch.num_preempted:
            self._schedule_waiting(batch)
        return batch

    @property
    def _longest_chunk(self) -> int:
        return self.config.long_prefill_token_threshold or self.config.max_num_batched_tokens

    def _schedule_running(self, batch: Batch) -> None:
        budget = self.config.max_num_batched_tokens
        longest_chunk = self._longest_chunk
        index = 0
        # Preemption shortens the queue from the back while it is walked from the front.
        while index < len(self.running) and batch.num_tokens < budget:
            sequence = self.running[index]
            index += 1
            left = sequence.num_tokens - sequence.num_computed_tokens
            num_tokens = left if left == 1 else min(left, longest_chunk, budget - batch.num_tokens)
            end = sequence.num_computed_tokens + num_tokens
            if end > sequence.capacity_tokens and not self._grow(sequence, end, batch):
                return
            if left == 1:
                batch.add_decode(sequence)
            else:
                batch.add_prefill(sequence, num_tokens)

    def _schedule_waiting(self, batch: Batch) -> None:
        config = self.config
        while (
            self.waiting
            and len(self.running) < config.max_num_seqs
            and batch.num_tokens < config.max_num_batched_tokens
        ):
            sequence = self.waiting[0]
            matched = self.block_manager.match_prefix(sequence)
            num_cached = len(matched) * config.block_size
            budget = config.max_num_batched_tokens - batch.num_tokens
            num_tokens = min(sequence.num_tokens - num_cached, self._longest_chunk)
            if num_tokens > budget and not config.enable_chunked_prefill:
                return
            num_tokens = min(num_tokens, budget)
            if not self.block_manager.allocate(sequence, num_cached + num_tokens, matched):
                return
            self._admit(sequence, num_cached)
            batch.add_prefill(sequence, num_tokens)
