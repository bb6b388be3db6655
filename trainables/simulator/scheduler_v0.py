"""The scheduler of vLLM up to 0.6: prompts first, in steps of their own unless they are chunked."""

from math import ceil

from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.scheduler import Scheduler
from trainables.simulator.sequence import Sequence

# Share of the blocks that vLLM V0 keeps free when it admits a prompt (BlockManager.watermark).
WATERMARK = 0.01


class SchedulerV0(Scheduler):
    """Admit waiting prompts before anything else; decode when there are none to admit."""

    def __init__(self, config: EngineConfig, block_manager: BlockManager) -> None:
        super().__init__(config, block_manager)
        self._watermark_blocks = ceil(WATERMARK * block_manager.num_blocks)
        self._scheduled_s = 0.0
        self._last_prompt_step_s = 0.0

    def schedule(self, now_s: float) -> Batch:
        """Choose the next step's tokens."""
        self._scheduled_s = now_s
        is_due = self._passed_delay(now_s)
        batch = Batch()
        if self.config.enable_chunked_prefill:
            self._schedule_decodes(batch)
            self._schedule_chunks(batch)
            if is_due and not batch.num_preempted:
                self._schedule_prompts(batch)
        else:
            if is_due:
                self._schedule_prompts(batch)
            if not batch.prefills:
                self._schedule_decodes(batch)
        return batch

    def postprocess(self, batch: Batch, now_s: float) -> list[Sequence]:
        """Account for a step that ended at `now_s`; see `Scheduler.postprocess`."""
        if batch.prefills:
            self._last_prompt_step_s = now_s - self._scheduled_s
        return super().postprocess(batch, now_s)

    def _passed_delay(self, now_s: float) -> bool:
        """Tell whether waiting prompts may be admitted, by `scheduler_delay_factor`.

        The oldest one must have waited for that many times the last prompt step's duration.
        """
        delay_s = self.config.scheduler_delay_factor * self._last_prompt_step_s
        if not self.waiting or not self.running or delay_s == 0:
            return True
        return now_s - self.waiting[0].request.arrival_s > delay_s

    def _schedule_decodes(self, batch: Batch) -> None:
        self._grow_decodes(batch)
        if not self.config.use_v2_block_manager:
            self._keep_a_block_free(batch)
        batch.add_decodes(self.decoding)

    def _keep_a_block_free(self, batch: Batch) -> None:
        """Preempt as the first block manager does, which wants a free block for each decode.

        It asks for one whether the sequence needs it or not (`can_append_slots` in vLLM's
        block_manager_v1.py); the second one counts what is really needed. A sequence that runs
        alone, or that took the last block itself, goes on.
        """
        just_grown = self.decoding.without_room()
        while self.block_manager.num_free_blocks == 0 and len(self.running) > 1:
            last = next(reversed(self.running.values()))
            if last not in self.decoding or last in just_grown:
                return
            self._preempt_last(batch)

    def _schedule_chunks(self, batch: Batch) -> None:
        """Continue prompts that were begun; their blocks were given at admission."""
        for sequence in self.prefilling.values():
            budget = self.config.max_num_batched_tokens - batch.num_tokens
            if budget > 0:
                left = sequence.num_tokens - sequence.num_computed_tokens
                batch.add_prefill(sequence, min(left, budget))

    def _schedule_prompts(self, batch: Batch) -> None:
        config = self.config
        while self.waiting and len(self.running) < config.max_num_seqs:
            sequence = self.waiting[0]
            budget = config.max_num_batched_tokens - batch.num_tokens
            matched = self.block_manager.match_prefix(sequence)
            num_cached = matched.num_blocks * config.block_size
            left = sequence.num_tokens - num_cached
            if budget == 0 or (left > budget and not config.enable_chunked_prefill):
                return
            # The watermark must not lock out a sequence that needs nearly the whole cache.
            reserve = self._watermark_blocks if self.running else 0
            if not self.block_manager.allocate(sequence, sequence.num_tokens, matched, reserve):
                return
            self._admit(sequence, num_cached)
            batch.add_prefill(sequence, min(left, budget))
