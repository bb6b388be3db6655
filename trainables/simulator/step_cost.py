"""How long one engine step takes: an analytic roofline over the operators of a transformer.

Notation: t is `tensor_parallel_size`; every operator is the part that one GPU computes. A kernel
costs its launch gap plus its memory time and its compute time, which overlap, but not perfectly:
`hypot(memory, compute)` is the larger of the two where one dominates and 1.4 times either where
they balance, which is what profiles of matrix products show around their ridge point.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import hypot
from typing import Protocol

from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.all_reduce import AllReduce
from trainables.simulator.batch import Batch
from trainables.simulator.config import EngineConfig
from trainables.simulator.host_overhead import HostOverhead


class StepCost(Protocol):
    """Tell how long a step takes."""

    def step_s(self, batch: Batch) -> float:
        """Return the seconds from the end of the previous step to the end of this one."""
        ...


@dataclass(frozen=True)
class Efficiency:
    """Say what kernels reach of the published peaks, and what they cost besides.

    The values for matrix products and elementwise kernels were chosen with the operator profiles
    in view that Vidur (MLSys 2024) published for Llama-2-7B on an A100; the others are
    orders of magnitude. All are applied to every accelerator alike.

    Attributes:
        matmul_flops: Of peak flops, by a large matrix product (cuBLAS; 0.65-0.75 is usual).
        matmul_memory: Of peak bandwidth, by a product that streams its weights.
        elementwise_memory: Of peak bandwidth, by norms, rotary embedding and activations.
        prefill_attention_flops: Of peak flops, by FlashAttention on a causal prompt.
        decode_attention_memory: Of peak bandwidth, by paged attention with very large blocks.
        block_lookup_tokens: Tokens' worth of time that paged attention spends per block on
            looking it up; makes small blocks slower.
        kernel_s: Start and drain of one kernel on the device.
        kernel_launch_s: Time of the host to issue one kernel through the framework.
    """

    matmul_flops: float = 0.70
    matmul_memory: float = 0.85
    elementwise_memory: float = 0.50
    prefill_attention_flops: float = 0.45
    decode_attention_memory: float = 0.75
    block_lookup_tokens: float = 1.0
    kernel_s: float = 4e-6
    kernel_launch_s: float = 20e-6


NUM_ELEMENTWISE_KERNELS = 5  # two fused add-and-norms, rotary embedding, cache write, activation
NUM_LAYER_KERNELS = NUM_ELEMENTWISE_KERNELS + 4 + 1  # four matrix products, attention
# Passes over the fp32 logits: cast, temperature, softmax (2), draw (2).
NUM_SAMPLER_PASSES = 6


class RooflineCost:
    """Price a step from the model's shape and the accelerator's published numbers."""

    def __init__(
        self,
        model: ModelShape,
        accelerator: Accelerator,
        config: EngineConfig,
        host: HostOverhead,
        efficiency: Efficiency | None = None,
    ) -> None:
        self.model = model
        self.accelerator = accelerator
        self.config = config
        self.host = host
        self.efficiency = efficiency or Efficiency()
        self.all_reduce = AllReduce(accelerator, config)
        # Whatever depends on the number of tokens alone repeats from step to step.
        self._layers_s = lru_cache(maxsize=None)(self._layers_without_attention_s)
        self._sampling_s = lru_cache(maxsize=None)(self.sampling_s)

    def step_s(self, batch: Batch) -> float:
        """Return the seconds from the end of the previous step to the end of this one."""
        device_s = (
            self._layers_s(batch.num_tokens)
            + self.model.num_layers * self.attention_s(batch)
            + self._sampling_s(batch.num_sampled)
        )
        if not self.host.is_graphed(batch, self.config):
            # Without a graph the host issues each kernel while the device works on earlier ones.
            num_kernels = self.model.num_layers * NUM_LAYER_KERNELS
            device_s = hypot(device_s, num_kernels * self.efficiency.kernel_launch_s)
        host_s = self.host.step_s(batch, self.config)
        return max(device_s, host_s) if self.config.async_scheduling else device_s + host_s

    def linear_s(self, num_tokens: int) -> float:
        """Return the time of one layer's matrix products for `num_tokens` tokens."""
        model, t = self.model, self.config.tensor_parallel_size
        hidden, attention = model.hidden_size, model.num_heads * model.head_dim // t
        qkv = attention + 2 * model.kv_heads_per_gpu(t) * model.head_dim
        intermediate = model.intermediate_size / t
        products = self._matmul_s(num_tokens, hidden, qkv)
        products += self._matmul_s(num_tokens, attention, hidden)
        # A token visits some of the experts; the step reads those that any token visits.
        num_visits = num_tokens * model.num_experts_per_token
        missed = (1 - model.num_experts_per_token / model.num_experts) ** num_tokens
        num_read = model.num_experts * (1 - missed)
        products += self._matmul_s(num_visits, hidden, 2 * intermediate, num_read)
        return products + self._matmul_s(num_visits, intermediate, hidden, num_read)

    def elementwise_s(self, num_tokens: int) -> float:
        """Return the time of one layer's norms, rotary embedding, cache write and activation."""
        model, t = self.model, self.config.tensor_parallel_size
        kv = 2 * model.kv_heads_per_gpu(t) * model.head_dim
        queries_and_keys = model.num_heads * model.head_dim / t + kv / 2
        visits = model.num_experts_per_token
        # Values read and written per token: norms handle input and residual, both ways.
        values = 2 * 4 * model.hidden_size + 2 * queries_and_keys + 2 * kv
        values += visits * 3 * model.intermediate_size / t
        num_bytes = num_tokens * values * model.bytes_per_weight
        memory_s = num_bytes / self._bandwidth(self.efficiency.elementwise_memory)
        # Short kernels overlap: their start-up is a floor rather than an addition.
        return hypot(NUM_ELEMENTWISE_KERNELS * self.efficiency.kernel_s, memory_s)

    def attention_s(self, batch: Batch) -> float:
        """Return the time of one layer's attention, prompts and decodes apart."""
        seconds = self._decode_attention_s(batch.context_tokens) if batch.decodes else 0.0
        pairs = 0.0
        context_tokens = 0
        for sequence, num_tokens in batch.prefills:
            before = sequence.num_computed_tokens
            pairs += num_tokens * (before + num_tokens / 2)
            context_tokens += before + num_tokens
        return seconds + (self._prefill_attention_s(pairs, context_tokens) if pairs else 0.0)

    def sampling_s(self, num_sampled: int) -> float:
        """Return the time of the LM head and the sampler for `num_sampled` sequences."""
        if not num_sampled:
            return 0.0
        model, t = self.model, self.config.tensor_parallel_size
        head_s = self._matmul_s(num_sampled, model.hidden_size, model.vocab_size / t)
        logit_bytes = 4 * num_sampled * model.vocab_size
        memory_s = logit_bytes / self._bandwidth(self.efficiency.elementwise_memory)
        return head_s + NUM_SAMPLER_PASSES * (self.efficiency.kernel_s + memory_s)

    def _layers_without_attention_s(self, num_tokens: int) -> float:
        message_bytes = num_tokens * self.model.hidden_size * self.model.bytes_per_weight
        layer_s = self.linear_s(num_tokens) + self.elementwise_s(num_tokens)
        # One all-reduce after attention, one after the feed-forward layer.
        return self.model.num_layers * (layer_s + 2 * self.all_reduce.seconds(message_bytes))

    def _matmul_s(
        self, num_rows: float, num_inputs: float, num_outputs: float, num_matrices: float = 1.0
    ) -> float:
        """Price activations [rows, inputs] times weights [inputs, outputs]."""
        num_weights = num_matrices * num_inputs * num_outputs
        num_activations = num_rows * (num_inputs + num_outputs)
        num_bytes = self.model.bytes_per_weight * (num_weights + num_activations)
        flops = 2.0 * num_rows * num_inputs * num_outputs
        memory_s = num_bytes / self._bandwidth(self.efficiency.matmul_memory)
        compute_s = flops / (self.accelerator.peak_flops * self.efficiency.matmul_flops)
        return self.efficiency.kernel_s + hypot(memory_s, compute_s)

    def _decode_attention_s(self, context_tokens: int) -> float:
        size = self.config.block_size
        share = size / (size + self.efficiency.block_lookup_tokens)
        memory_s = self._kv_bytes(context_tokens) / self._bandwidth(
            self.efficiency.decode_attention_memory * share
        )
        flops = self._attention_flops(context_tokens)
        compute_s = flops / (self.accelerator.peak_flops * self.efficiency.prefill_attention_flops)
        return self.efficiency.kernel_s + hypot(memory_s, compute_s)

    def _prefill_attention_s(self, pairs: float, context_tokens: int) -> float:
        memory_s = self._kv_bytes(context_tokens) / self._bandwidth(
            self.efficiency.decode_attention_memory
        )
        flops = self._attention_flops(pairs)
        compute_s = flops / (self.accelerator.peak_flops * self.efficiency.prefill_attention_flops)
        return self.efficiency.kernel_s + hypot(memory_s, compute_s)

    def _attention_flops(self, pairs: float) -> float:
        """Count one layer's operations for (query, key) pairs: two products of head_dim each."""
        heads = self.model.num_heads / self.config.tensor_parallel_size
        return 4.0 * heads * self.model.head_dim * pairs

    def _kv_bytes(self, context_tokens: int) -> float:
        """Bytes of one layer's keys and values for `context_tokens` tokens, on one GPU."""
        heads = self.model.kv_heads_per_gpu(self.config.tensor_parallel_size)
        return 2.0 * heads * self.model.head_dim * self.model.bytes_per_weight * context_tokens

    def _bandwidth(self, efficiency: float) -> float:
        return self.accelerator.memory_bandwidth_bytes_per_s * efficiency
