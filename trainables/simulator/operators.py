"""The operators of one transformer layer, attention and all-reduce left out.

`RooflineOperators` computes their times from published peaks; `operator_profile` reads measured
ones. Both are functions of the number of tokens alone.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import ceil, hypot
from typing import Protocol

from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.matmul import Matmul

TENSOR_CORE_ROWS = 8  # a tensor core multiplies this many rows at once


class Operators(Protocol):
    """Tell how long the operators of one layer take on one GPU of a tensor-parallel group."""

    def linear_s(self, num_tokens: int) -> float:
        """Return the seconds of one layer's matrix products."""
        ...

    def elementwise_s(self, num_tokens: int) -> float:
        """Return the seconds of one layer's norms, rotary embedding, cache write, activation."""
        ...


class RooflineOperators:
    """Price a layer from the model's shape and the accelerator's published numbers."""

    def __init__(
        self,
        model: ModelShape,
        accelerator: Accelerator,
        tensor_parallel_size: int = 1,
        efficiency: Efficiency | None = None,
    ) -> None:
        self.model = model
        self.accelerator = accelerator
        self.tensor_parallel_size = tensor_parallel_size
        self.efficiency = efficiency or Efficiency()
        self.matmul = Matmul(accelerator, self.efficiency, model.bytes_per_weight)
        self._linear_s = lru_cache(maxsize=None)(
            lambda num_tokens: sum(self.products_s(num_tokens).values())
        )

    def linear_s(self, num_tokens: int) -> float:
        """Return the seconds of one layer's matrix products."""
        if self.model.num_experts == 1:
            num_tokens = ceil(num_tokens / TENSOR_CORE_ROWS) * TENSOR_CORE_ROWS
        return self._linear_s(num_tokens)

    def products_s(self, num_tokens: int) -> Mapping[str, float]:
        """Return the seconds of each matrix product, by its name in operator profiles."""
        model, t = self.model, self.tensor_parallel_size
        seconds, hidden = self.matmul.seconds, model.hidden_size
        attention = model.num_heads * model.head_dim // t
        qkv = attention + 2 * model.kv_heads_per_gpu(t) * model.head_dim
        intermediate = model.intermediate_size / t
        num_read = self._num_experts_read(num_tokens)
        num_rows = num_tokens * model.num_experts_per_token / num_read
        return {
            "attn_pre_proj": seconds(num_tokens, hidden, qkv),
            "attn_post_proj": seconds(num_tokens, attention, hidden),
            "mlp_up_proj": seconds(num_rows, hidden, 2 * intermediate, num_read),
            "mlp_down_proj": seconds(num_rows, intermediate, hidden, num_read),
        }

    def elementwise_s(self, num_tokens: int) -> float:
        """Return the seconds of one layer's norms, rotary embedding, cache write, activation."""
        model, t = self.model, self.tensor_parallel_size
        kv = 2 * model.kv_heads_per_gpu(t) * model.head_dim
        queries_and_keys = model.num_heads * model.head_dim / t + kv / 2
        activation = model.num_experts_per_token * model.intermediate_size / t
        # Values read and written per token; a norm adds the residual, and writes it back too.
        norm = 4 * model.hidden_size
        num_values = (norm, norm, 2 * queries_and_keys, 2 * kv, 3 * activation)
        return sum(self._elementwise_s(num_tokens * number) for number in num_values)

    def _elementwise_s(self, num_values: float) -> float:
        share = self.efficiency.elementwise_memory
        bandwidth = self.accelerator.memory_bandwidth_bytes_per_s * share
        memory_s = num_values * self.model.bytes_per_weight / bandwidth
        return hypot(self.efficiency.elementwise_s, memory_s)

    def _num_experts_read(self, num_tokens: int) -> float:
        """Expect the number of experts that some token visits, if all are equally likely."""
        model = self.model
        missed = (1 - model.num_experts_per_token / model.num_experts) ** num_tokens
        return model.num_experts * (1 - missed)
