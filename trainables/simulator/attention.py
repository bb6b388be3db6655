"""Attention of one layer: prompts are bound by products, decodes by reading keys and values."""

from dataclasses import dataclass
from functools import cached_property
from math import hypot

from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.batch import Batch
from trainables.simulator.config import EngineConfig
from trainables.simulator.efficiency import Efficiency

DECODE_KERNELS = 2  # over parts of the context (flash-decoding), and to combine them


@dataclass(frozen=True)
class Attention:
    """Price FlashAttention on prompts and paged attention on decodes, on one GPU.

    Sources: FlashAttention-2 (Dao, 2023) for prompts on an A100; for decodes, PagedAttention
    (Kwon et al., SOSP 2023) and Flash-Decoding (Dao et al., 2023), which are bound by bandwidth.
    """

    model: ModelShape
    accelerator: Accelerator
    config: EngineConfig
    efficiency: Efficiency

    def seconds(self, batch: Batch) -> float:
        """Return the time of one layer's attention, prompts and decodes apart."""
        seconds = self.decode_s(batch.context_tokens) if batch.num_decodes else 0.0
        if not batch.prefills:
            return seconds
        pairs = 0.0
        context_tokens = 0
        for sequence, num_tokens in batch.prefills:
            before = sequence.num_computed_tokens
            pairs += num_tokens * (before + num_tokens / 2 + self.efficiency.prefill_extra_keys)
            context_tokens += before + num_tokens
        return seconds + self.prefill_s(pairs, context_tokens)

    def decode_s(self, context_tokens: int) -> float:
        """Return the time of decodes that attend to `context_tokens` tokens in sum."""
        start_s = DECODE_KERNELS * self.efficiency.kernel_s
        return start_s + context_tokens * self._decode_token_s

    def prefill_s(self, pairs: float, context_tokens: int) -> float:
        """Return the time of chunks with `pairs` of queries and keys, in `context_tokens`."""
        compute_s = pairs * self._pair_s
        memory_s = context_tokens * self._kv_bytes / self._bandwidth
        return self.efficiency.kernel_s + hypot(memory_s, compute_s)

    @cached_property
    def _decode_token_s(self) -> float:
        size = self.config.block_size
        share = size / (size + self.efficiency.block_lookup_tokens)
        return hypot(self._kv_bytes / (self._bandwidth * share), self._pair_s)

    @cached_property
    def _pair_s(self) -> float:
        """Seconds of one query and one key in all heads: two products of head_dim each."""
        heads = self.model.num_heads / self.config.tensor_parallel_size
        peak = self.accelerator.peak_flops * self.efficiency.prefill_attention_flops
        return 4.0 * heads * self.model.head_dim / peak

    @cached_property
    def _kv_bytes(self) -> float:
        """Bytes of one token's keys and values in one layer, on one GPU."""
        heads = self.model.kv_heads_per_gpu(self.config.tensor_parallel_size)
        return 2.0 * heads * self.model.head_dim * self.model.bytes_per_weight

    @cached_property
    def _bandwidth(self) -> float:
        share = self.efficiency.decode_attention_memory
        return self.accelerator.memory_bandwidth_bytes_per_s * share
