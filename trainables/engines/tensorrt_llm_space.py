"""TensorRT-LLM's parameters, named as in its YAML file; a dot separates the levels.

Source: TensorRT-LLM 1.3.0rc, PyTorch backend: `TorchLlmArgs`, `KvCacheConfig` and `SchedulerConfig`
of `tensorrt_llm/llmapi/llm_args.py`, whose API reference is published with every version.
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

MIN_BATCH, MAX_BATCH, MAX_TOKENS = 64, 4096, 32768
DEFAULT_TOKENS = 8192


@dataclass(frozen=True)
class TensorRtLlmSpace:
    """TensorRT-LLM 1.x with its PyTorch backend, as `trtllm-serve`."""

    deployment: Deployment

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that change speed and not what is answered."""
        return (
            tensor_parallel_parameter(self.deployment),
            IntegerParameter("max_batch_size", MIN_BATCH, MAX_BATCH),
            IntegerParameter("max_num_tokens", MIN_BATCH, MAX_TOKENS),
            BooleanParameter("enable_chunked_prefill"),
            BooleanParameter("disable_overlap_scheduler"),
            BooleanParameter("kv_cache_config.enable_block_reuse"),
            ChoiceParameter("kv_cache_config.tokens_per_block", (16, 32, 64, 128)),
            FloatParameter("kv_cache_config.free_gpu_memory_fraction", 0.70, 0.95),
            ChoiceParameter(
                "scheduler_config.capacity_scheduler_policy",
                ("GUARANTEED_NO_EVICT", "MAX_UTILIZATION"),
            ),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """`validate_runtime_args`, prompts that fit, and heads that divide over the GPUs."""
        return (
            Rule(
                "num_tokens_cover_batch",
                _tokens_cover_batch,
                "max_num_tokens must be at least max_batch_size.",
            ),
            Rule(
                "num_tokens_cover_longest_prompt",
                _tokens_cover_longest_prompt,
                "Without enable_chunked_prefill a prompt must fit into max_num_tokens: at least "
                f"max_seq_len, or the engine's default of {DEFAULT_TOKENS} where that is less.",
            ),
            *heads_divide(self.deployment),
        )

    def complete(self, config: Config) -> dict[str, Any]:
        """Add the declared defaults."""
        return {
            "tensor_parallel_size": self.deployment.min_tensor_parallel_size,
            "max_seq_len": self.deployment.max_model_len,
            "max_batch_size": 2048,
            "max_num_tokens": DEFAULT_TOKENS,
            "enable_chunked_prefill": False,
            "disable_overlap_scheduler": False,
            "kv_cache_config.enable_block_reuse": True,
            "kv_cache_config.tokens_per_block": 32,
            "kv_cache_config.free_gpu_memory_fraction": 0.9,
            "scheduler_config.capacity_scheduler_policy": "GUARANTEED_NO_EVICT",
            **config,
        }


def _tokens_cover_batch(values: Mapping[str, Any]) -> bool:
    return bool(values["max_num_tokens"] >= values["max_batch_size"])


def _tokens_cover_longest_prompt(values: Mapping[str, Any]) -> bool:
    longest = min(values["max_seq_len"], DEFAULT_TOKENS)
    return bool(values["enable_chunked_prefill"] or values["max_num_tokens"] >= longest)
