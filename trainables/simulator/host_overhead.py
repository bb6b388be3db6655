"""What the CPU spends on a step: scheduling, input preparation, output processing."""

from dataclasses import dataclass

from trainables.simulator.batch import Batch
from trainables.simulator.config import EngineConfig


@dataclass(frozen=True)
class HostOverhead:
    """State an engine generation's CPU costs, as orders of magnitude on a current server.

    Attributes:
        base_s: Per step, whatever is in it.
        sequence_s: Per sequence of the step: scheduling and input preparation.
        output_s: Per generated token: detokenising and sending it.
        broadcast_s: Per step, for handing it to the workers of other GPUs.
        block_hash_s: Per block of a prompt, with prefix caching.
        request_s: Before a request is queued: HTTP, tokenising, handing it to the engine.
        graphs_cover_prefill: CUDA graphs also serve steps that hold prompt tokens.
    """

    base_s: float
    sequence_s: float
    output_s: float
    broadcast_s: float
    block_hash_s: float
    request_s: float
    graphs_cover_prefill: bool

    def step_s(self, batch: Batch, config: EngineConfig) -> float:
        """Return the CPU's seconds for one step."""
        seconds = self.base_s + self.sequence_s * batch.num_seqs
        seconds += self.output_s * batch.num_sampled / config.stream_interval
        if config.tensor_parallel_size > 1:
            seconds += self.broadcast_s
        if config.enable_prefix_caching:
            num_prompt_tokens = batch.num_tokens - batch.num_decodes
            seconds += self.block_hash_s * num_prompt_tokens / config.block_size
        return seconds
