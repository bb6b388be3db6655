"""What went on inside an engine, step by step: for plots, and for people who want to understand."""

from dataclasses import dataclass

from trainables.simulator.batch import Batch
from trainables.simulator.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class StepSample:
    """Describe one step at its beginning, when its sequences have been given their blocks.

    Attributes:
        start_s: When it began.
        duration_s: How long it took.
        num_waiting: Sequences in the waiting queue.
        num_running: Sequences that hold blocks.
        num_decode_tokens: Tokens of the step for sequences that decode: one each.
        num_prefill_tokens: Tokens of the step that belong to prompts.
        kv_usage: Share of the KV blocks that sequences hold, in [0, 1].
        num_preempted: Sequences that lost their blocks to make room for this step.
    """

    start_s: float
    duration_s: float
    num_waiting: int
    num_running: int
    num_decode_tokens: int
    num_prefill_tokens: int
    kv_usage: float
    num_preempted: int


class Timeline:
    """Collect a sample of every step of one engine."""

    def __init__(self) -> None:
        self.samples: list[StepSample] = []

    def add(self, start_s: float, duration_s: float, batch: Batch, scheduler: Scheduler) -> None:
        """Note a step that is about to run."""
        manager = scheduler.block_manager
        sample = StepSample(
            start_s=start_s,
            duration_s=duration_s,
            num_waiting=len(scheduler.waiting),
            num_running=len(scheduler.running),
            num_decode_tokens=batch.num_decodes,
            num_prefill_tokens=batch.num_tokens - batch.num_decodes,
            kv_usage=manager.num_used_blocks / manager.num_blocks,
            num_preempted=batch.num_preempted,
        )
        self.samples.append(sample)

    def take(self) -> list[StepSample]:
        """Return the samples so far, and forget them."""
        samples, self.samples = self.samples, []
        return samples
