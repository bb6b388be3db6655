"""The scheduler of vLLM up to 0.6: prompts first, in steps of their own unless they are chunked."""

from math import ceil

from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.scheduler import Scheduler

# Share of the blocks that vLLM V0 keeps free when it admits a prompt (BlockManager.watermark).
WATERMARK = 0.01


class SchedulerV0(Scheduler):
    """Admit waiting prompts before anything else; decode when there are none to admit."""

    def __init__(self, config: EngineConfig, block_manager: BlockManager) -> None:
        super().__init__(config, block_manager)
        self._watermark_blocks = ceil(WATERMARK * block_manager.num_blocks)
        self._last_schedule_s = 0.0
        self._last_prompt_step_s = 0.0
        self._last_was_prompt = False

    def schedule(self, now_s: float) -> Batch:
        """Choose the next step's tokens."""
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
        self._last_was_prompt = bool(batch.prefills)
        return batch

    def _passed_delay(self, now_s: float) -> bool:
        """Tell whether waiting prompts may be admitted, by `scheduler_delay_factor`.

        The oldest one must have waited for that many times the last prompt step's duration.
        """
        if self._last_was_prompt:
            self._last_prompt_step_s = now_s - self._last_schedule_s
        self._last_schedule_s = now_s
        delay_s = self.config.scheduler_delay_factor * self._last_prompt_step_s
        if not self.waiting or not self.running or delay_s == 0:
            return True
        return now_s - self.waiting[0].request.arrival_s > delay_s

    def _schedule_decodes(self, batch: Batch) -> None:
        budget = self.config.max_num_batched_tokens
        index = 0
        while index < len(self.running) and batch.num_tokens < budget:
            sequence = self.running[index]
            index += 1
            if not sequence.is_decoding:
                continue
            if sequence.num_tokens > sequence.capacity_tokens and not self._grow(
                sequence, sequence.num_tokens, batch
            ):
                return
            batch.add_decode(sequence)

    def _schedule_chunks(self, batch: Batch) -> None:
        """Continue prompts that were begun; their blocks were given at admission."""
        for sequence in self.running:
            budget = self.config.max_num_batched_tokens - batch.num_tokens
            left = sequence.num_tokens - sequence.num_computed_tokens
            if left > 1 and budget > 0:
                batch.add_prefill(sequence, min(left, budget))

    def _schedule_prompts(self, batch: Batch) -> None:
        config = self.config
        while self.waiting and len(self.running) < config.max_num_seqs:
            sequence = self.waiting[0]
            budget = config.max_num_batched_tokens - batch.num_tokens
            matched = self.block_manager.match_prefix(sequence)
            num_cached = len(matched) * config.block_size
            left = sequence.num_tokens - num_cached
            if budget == 0 or (left > budget and not config.enable_chunked_prefill):
                return
            # The watermark must not lock out a sequence that needs nearly the whole cache.
            reserve = self._watermark_blocks if self.running else 0
            if not self.block_manager.allocate(sequence, sequence.num_tokens, matched, reserve):
                return
            self._admit(sequence, num_cached)
            batch.add_prefill(sequence, min(left, budget))
