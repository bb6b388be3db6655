"""SGLang's parameters, and how it fills in what its command line leaves out.

Source: SGLang 0.5.23, `srt/arg_groups/fields/` (names, defaults), `memory_hook.py` (what follows
from the GPU's memory), `validation_hook.py` (what is refused).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    FloatParameter,
    IntegerParameter,
    Parameter,
)
from trainables.base_space import Deployment, Rule, heads_divide, tensor_parallel_parameter
from trainables.hardware import GIB

MIB = 2**20
MIN_BATCH = 64
MIN_CHUNK_TOKENS, MAX_CHUNK_TOKENS = 512, 16384
MAX_PREFILL_TOKENS = 32768
# Without a flag it takes 2048 to 4096, by the size of its KV cache.
MAX_RUNNING_REQUESTS = 4096
# Policies that sort by the cached prefix; without the cache SGLang falls back to fcfs.
CACHE_AWARE_POLICIES = ("lpm", "dfs-weight")

# By memory of a GPU in GiB, below: tokens of a chunk; sequences in the largest CUDA graph with
# tensor_parallel_size below 4, and from 4.
BY_MEMORY = (
    (20, 2048, 8, 8),
    (35, 4096, 48, 160),
    (60, 4096, 32, 160),
    (160, 8192, 256, 512),
    (float("inf"), 16384, 512, 512),
)


@dataclass(frozen=True)
class SglangSpace:
    """SGLang 0.5, as `sglang.launch_server`."""

    deployment: Deployment

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that change speed and not what is answered."""
        return (
            tensor_parallel_parameter(self.deployment),
            IntegerParameter("max_running_requests", MIN_BATCH, MAX_RUNNING_REQUESTS),
            # Powers of two, so that every page_size divides them.
            IntegerParameter("chunked_prefill_size", MIN_CHUNK_TOKENS, MAX_CHUNK_TOKENS, log2=True),
            IntegerParameter("max_prefill_tokens", MIN_CHUNK_TOKENS, MAX_PREFILL_TOKENS),
            BooleanParameter("enable_mixed_chunk"),
            ChoiceParameter("schedule_policy", ("fcfs", "lof", *CACHE_AWARE_POLICIES)),
            FloatParameter("schedule_conservativeness", 0.1, 2.0),
            IntegerParameter("num_continuous_decode_steps", 1, 8),
            ChoiceParameter("page_size", (1, 16, 32, 64)),
            BooleanParameter("disable_radix_cache"),
            BooleanParameter("disable_overlap_schedule"),
            BooleanParameter("disable_custom_all_reduce"),
            FloatParameter("mem_fraction_static", 0.60, 0.95),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """`check_server_args`, and heads that divide over the GPUs."""
        return (
            Rule(
                "page_size_divides_chunk",
                _page_divides_chunk,
                "chunked_prefill_size must be a multiple of page_size.",
            ),
            Rule(
                "cache_aware_policy_needs_cache",
                _policy_has_its_cache,
                f"With disable_radix_cache, {' and '.join(CACHE_AWARE_POLICIES)} are the same as "
                "fcfs.",
            ),
            *heads_divide(self.deployment),
        )

    def complete(self, config: Config) -> dict[str, Any]:
        """Follow `handle_gpu_memory_settings`, for a model of text with CUDA graphs."""
        values = {
            "tensor_parallel_size": self.deployment.min_tensor_parallel_size,
            "context_length": self.deployment.max_model_len,
            "max_running_requests": 2048,
            "max_prefill_tokens": 16384,
            "enable_mixed_chunk": False,
            "schedule_policy": "fcfs",
            "schedule_conservativeness": 1.0,
            "num_continuous_decode_steps": 1,
            "page_size": 1,
            "disable_radix_cache": False,
            "disable_overlap_schedule": False,
            "disable_custom_all_reduce": False,
            **config,
        }
        chunk, graph_batch = self._by_memory(values["tensor_parallel_size"])
        values.setdefault("chunked_prefill_size", chunk)
        values.setdefault("mem_fraction_static", self._memory_fraction(values, graph_batch))
        return values

    def _by_memory(self, tensor_parallel_size: int) -> tuple[int, int]:
        accelerator = self.deployment.accelerator
        if accelerator is None:
            return 4096, 160
        memory_gib = accelerator.memory_bytes / GIB
        chunk, small, large = next(row[1:] for row in BY_MEMORY if memory_gib < row[0])
        return chunk, small if tensor_parallel_size < 4 else large

    def _memory_fraction(self, values: Mapping[str, Any], graph_batch: int) -> float:
        """Leave out what SGLang reserves for activations and graphs, in MiB."""
        accelerator = self.deployment.accelerator
        if accelerator is None:
            return 0.85
        chunk = values["chunked_prefill_size"]
        batch = max(chunk if chunk > 0 else values["max_prefill_tokens"], 2048)
        reserved_mib = 512 + 1.5 * batch + 128 * values["tensor_parallel_size"] + 2 * graph_batch
        if accelerator.memory_bytes > 60 * GIB:
            reserved_mib = max(reserved_mib, 10 * 1024)
        return float(round(1 - reserved_mib * MIB / accelerator.memory_bytes, 3))


def _page_divides_chunk(values: Mapping[str, Any]) -> bool:
    chunk = values["chunked_prefill_size"]
    return bool(chunk <= 0 or chunk % values["page_size"] == 0)


def _policy_has_its_cache(values: Mapping[str, Any]) -> bool:
    return not (values["disable_radix_cache"] and values["schedule_policy"] in CACHE_AWARE_POLICIES)
