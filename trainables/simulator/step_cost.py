"""How long one engine step takes: an analytic roofline over the operators of a transformer.

A step is `num_layers` times operators, attention and two all-reduces, then the LM head and the
sampler; the host's work comes before it, or beside it with asynchronous scheduling.
"""

from functools import lru_cache
from math import hypot
from typing import Protocol

from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.all_reduce import AllReduce
from trainables.simulator.attention import Attention
from trainables.simulator.batch import Batch
from trainables.simulator.config import EngineConfig
from trainables.simulator.cuda_graphs import capture_sizes, padded
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.host_overhead import HostOverhead
from trainables.simulator.matmul import Matmul
from trainables.simulator.operators import Operators, RooflineOperators

__all__ = ["Efficiency", "RooflineCost", "StepCost"]

# Five elementwise kernels, four matrix products, attention in two.
NUM_LAYER_KERNELS = 11
# Attention stays outside the graphs of steps with prompts (vLLM's piecewise graphs): its two
# kernels and the piece between two layers are issued one by one.
NUM_PIECEWISE_LAUNCHES = 3
NUM_ALL_REDUCES = 2
# Passes over the fp32 logits: cast, temperature, softmax (2), draw (2).
NUM_SAMPLER_PASSES = 6


class StepCost(Protocol):
    """Tell how long a step takes."""

    def step_s(self, batch: Batch) -> float:
        """Return the seconds from the end of the previous step to the end of this one."""
        ...


class RooflineCost:
    """Price a step from the model's shape and the accelerator's published numbers."""

    def __init__(
        self,
        model: ModelShape,
        accelerator: Accelerator,
        config: EngineConfig,
        host: HostOverhead,
        efficiency: Efficiency | None = None,
        *,
        operators: Operators | None = None,
    ) -> None:
        self.model = model
        self.accelerator = accelerator
        self.config = config
        self.host = host
        self.efficiency = efficiency or Efficiency()
        t = config.tensor_parallel_size
        self.operators = operators or RooflineOperators(model, accelerator, t, self.efficiency)
        self.attention = Attention(model, accelerator, config, self.efficiency)
        self.all_reduce = AllReduce(accelerator, config)
        self.capture_sizes = capture_sizes(config, covers_prefill=host.graphs_cover_prefill)
        self._matmul = Matmul(accelerator, self.efficiency, model.bytes_per_weight)
        # Whatever depends on the number of tokens alone repeats from step to step.
        self._layers_s = lru_cache(maxsize=None)(self._layers_without_attention_s)
        self._sampling_s = lru_cache(maxsize=None)(self.sampling_s)

    def step_s(self, batch: Batch) -> float:
        """Return the seconds from the end of the previous step to the end of this one."""
        is_graphed = self.is_graphed(batch)
        num_tokens = batch.num_tokens
        if is_graphed:
            num_tokens = padded(num_tokens, self.capture_sizes)
        layers_s = self._layers_s(num_tokens)
        layers_s += self.model.num_layers * self.attention.seconds(batch)
        # The host issues kernels while the device works on earlier ones.
        device_s = hypot(layers_s, self._launch_s(batch, is_graphed))
        device_s += self._sampling_s(batch.num_sampled)
        host_s = self.host.step_s(batch, self.config)
        return max(device_s, host_s) if self.config.async_scheduling else device_s + host_s

    def is_graphed(self, batch: Batch) -> bool:
        """Tell whether a captured CUDA graph serves the step."""
        is_covered = self.host.graphs_cover_prefill or not batch.prefills
        sizes = self.capture_sizes
        return bool(sizes) and is_covered and batch.num_tokens <= sizes[-1]

    def linear_s(self, num_tokens: int) -> float:
        """Return the time of one layer's matrix products for `num_tokens` tokens."""
        return self.operators.linear_s(num_tokens)

    def elementwise_s(self, num_tokens: int) -> float:
        """Return the time of one layer's norms, rotary embedding, cache write and activation."""
        return self.operators.elementwise_s(num_tokens)

    def attention_s(self, batch: Batch) -> float:
        """Return the time of one layer's attention, prompts and decodes apart."""
        return self.attention.seconds(batch)

    def sampling_s(self, num_sampled: int) -> float:
        """Return the time of the LM head and the sampler for `num_sampled` sequences."""
        if not num_sampled:
            return 0.0
        model, efficiency = self.model, self.efficiency
        num_columns = model.vocab_size / self.config.tensor_parallel_size
        head_s = self._matmul.seconds(num_sampled, model.hidden_size, num_columns)
        bandwidth = self.accelerator.memory_bandwidth_bytes_per_s * efficiency.elementwise_memory
        memory_s = 4 * num_sampled * model.vocab_size / bandwidth
        return head_s + NUM_SAMPLER_PASSES * (efficiency.kernel_s + memory_s)

    def _layers_without_attention_s(self, num_tokens: int) -> float:
        message_bytes = num_tokens * self.model.hidden_size * self.model.bytes_per_weight
        layer_s = self.operators.linear_s(num_tokens) + self.operators.elementwise_s(num_tokens)
        # One all-reduce after attention, one after the feed-forward layer.
        layer_s += NUM_ALL_REDUCES * self.all_reduce.seconds(
            message_bytes / self.efficiency.interconnect
        )
        return self.model.num_layers * layer_s

    def _launch_s(self, batch: Batch, is_graphed: bool) -> float:
        """Return the host's time to issue the layers' kernels."""
        is_compiled = self.host.graphs_cover_prefill and not self.config.enforce_eager
        launch_s = (
            self.efficiency.compiled_launch_s if is_compiled else self.efficiency.kernel_launch_s
        )
        if is_graphed:
            num_launches = NUM_PIECEWISE_LAUNCHES if batch.prefills else 0
        else:
            is_parallel = self.config.tensor_parallel_size > 1
            num_launches = NUM_LAYER_KERNELS + (NUM_ALL_REDUCES if is_parallel else 0)
        return self.model.num_layers * num_launches * launch_s
