"""The scheduler of vLLM V1: one token budget, running sequences first, chunks for all prompts."""

from trainables.simulator.batch import Batch
from trainables.simulator.scheduler import Scheduler


class SchedulerV1(Scheduler):
    """Fill a token budget with running sequences in order of arrival, then with waiting ones.

    Follows `vllm/v1/core/sched/scheduler.py` of vLLM 0.32.
    """

    def schedule(self, now_s: float) -> Batch:
        """Choose the next step's tokens."""
        batch = Batch()
        if self.prefilling:
            self._schedule_running(batch)
        else:
            self._grow_decodes(batch)
        batch.add_decodes(self.decoding)
        if self.waiting and not batch.num_preempted:
            self._schedule_waiting(batch)
        return batch

    @property
    def _longest_chunk(self) -> int:
        # The threshold protects others from a long prompt; alone, a prompt gets the whole budget.
        threshold = self.config.long_prefill_token_threshold if self.num_unfinished > 1 else 0
        return threshold or self.config.max_num_batched_tokens

    def _schedule_running(self, batch: Batch) -> None:
        """Walk the running sequences that need blocks: chunks of prompts, and full decodes.

        The budget that chunks may use is what all decodes leave. Those behind an unfinished
        prompt count as well as those before it, which changes nothing: as long as the budget cuts
        a prompt short, nobody is admitted behind it.
        """
        budget = self.config.max_num_batched_tokens - len(self.decoding)
        longest_chunk = self._longest_chunk
        walk = [*self.prefilling.values(), *self.decoding.without_room()]
        for sequence in sorted(walk, key=lambda sequence: sequence.number):
            if sequence.number not in self.running:
                return
            if sequence in self.decoding:
                self._grow_decode(sequence, batch)
                continue
            left = sequence.num_tokens - sequence.num_computed_tokens
            num_tokens = min(left, longest_chunk, budget - batch.num_tokens)
            end = sequence.num_computed_tokens + num_tokens
            if num_tokens > 0 and self._grow(sequence, end, batch):
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
            num_cached = matched.num_blocks * config.block_size
            budget = config.max_num_batched_tokens - batch.num_tokens
            num_tokens = min(sequence.num_tokens - num_cached, self._longest_chunk)
            if num_tokens > budget and not config.enable_chunked_prefill:
                return
            num_tokens = min(num_tokens, budget)
            end = num_cached + num_tokens
            # A prompt is begun only when there is room for all of it (scheduler_reserve_full_isl).
            num_blocks = self.block_manager.num_blocks_of
            reserve = num_blocks(sequence.num_tokens) - num_blocks(end)
            if not self.block_manager.allocate(sequence, end, matched, reserve):
                return
            self._admit(sequence, num_cached)
            batch.add_prefill(sequence, num_tokens)
