"""vLLM's parameters: the space of the SCOOT paper (`vllm-v0`) and that of vLLM today (`vllm-v1`).

Each base space also mirrors how the engine fills in what its command line leaves out, because the
default configuration and the known constraints both follow from that.
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

MIN_BATCH, MAX_BATCH = 64, 8192  # the paper's range for sequences and for tokens
LONG_PREFILL_THRESHOLDS = (0, 256, 512, 1024, 2048)  # 0 is off
# Platforms that ignore a flag (vllm/platforms/cpu.py and v1/worker/cpu_worker.py of 0.32); the
# memory share is one of the host's memory there, which the trials share with everything else.
IGNORED_ON_CPU = ("disable_custom_all_reduce", "async_scheduling", "gpu_memory_utilization")


@dataclass(frozen=True)
class VllmV1Space:
    """vLLM 0.32: `vllm/engine/arg_utils.py`, `vllm/config/{cache,scheduler}.py`."""

    deployment: Deployment

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that change speed and not what is answered."""
        every: tuple[Parameter, ...] = (
            *_batch_parameters(self.deployment, self.complete({})),
            # Every CUDA attention backend takes multiples of 16
            # (get_supported_kernel_block_sizes; larger blocks are split for the kernel).
            ChoiceParameter("block_size", (16, 32, 64, 128)),
            BooleanParameter("enable_chunked_prefill"),
            BooleanParameter("enable_prefix_caching"),
            BooleanParameter("disable_custom_all_reduce"),
            ChoiceParameter("long_prefill_token_threshold", LONG_PREFILL_THRESHOLDS),
            BooleanParameter("async_scheduling"),
            FloatParameter("gpu_memory_utilization", 0.80, 0.95),
            BooleanParameter("enforce_eager"),
        )
        return tuple(p for p in every if not (self._is_cpu and p.name in IGNORED_ON_CPU))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """`SchedulerConfig.verify_max_model_len`, and heads that divide over the GPUs."""
        return _common_rules(self.deployment)

    def complete(self, config: Config) -> dict[str, Any]:
        """Follow `EngineArgs._set_default_max_num_seqs_and_batched_tokens_args`, as a server."""
        values = {
            "tensor_parallel_size": self.deployment.min_tensor_parallel_size,
            "max_model_len": self.deployment.max_model_len,
            "block_size": 128 if self._is_cpu else 16,
            "enable_chunked_prefill": True,
            "enable_prefix_caching": True,
            "disable_custom_all_reduce": self._is_cpu,
            "long_prefill_token_threshold": 0,
            "async_scheduling": not self._is_cpu,
            "gpu_memory_utilization": 0.92,
            "enforce_eager": False,
            **config,
        }
        num_seqs, num_tokens = self._batch_defaults(values["tensor_parallel_size"])
        if not values["enable_chunked_prefill"]:
            num_tokens = max(num_tokens, values["max_model_len"])
        num_tokens = min(num_tokens, config.get("max_num_seqs", num_seqs) * values["max_model_len"])
        num_tokens = values.setdefault("max_num_batched_tokens", num_tokens)
        values.setdefault("max_num_seqs", min(num_seqs, num_tokens))
        return values

    @property
    def _is_cpu(self) -> bool:
        accelerator = self.deployment.accelerator
        return accelerator is not None and accelerator.name == "CPU"

    def _batch_defaults(self, tensor_parallel_size: int) -> tuple[int, int]:
        """`EngineArgs.get_batch_defaults` for the API server: sequences and tokens per step."""
        accelerator = self.deployment.accelerator
        if accelerator is None:
            return 256, 2048
        if self._is_cpu:
            return 128 * tensor_parallel_size, 2048 * tensor_parallel_size
        if accelerator.memory_bytes >= 160 * GIB:
            return 1024, 16384
        if accelerator.memory_bytes >= 70 * GIB and "a100" not in accelerator.name.lower():
            return 1024, 8192
        return 256, 2048


@dataclass(frozen=True)
class VllmV0Space:
    """vLLM up to 0.6, as tuned in the SCOOT paper; the defaults are those of 0.5."""

    deployment: Deployment

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The nine parameters of the paper."""
        return (
            *_batch_parameters(self.deployment, self.complete({})),
            ChoiceParameter("block_size", (8, 16, 32)),
            FloatParameter("scheduler_delay_factor", 0.0, 2.0),
            BooleanParameter("enable_chunked_prefill"),
            BooleanParameter("enable_prefix_caching"),
            BooleanParameter("disable_custom_all_reduce"),
            BooleanParameter("use_v2_block_manager"),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The paper's known constraints, and heads that divide over the GPUs."""
        return (
            *_common_rules(self.deployment),
            Rule(
                "chunked_prefill_excludes_prefix_caching",
                _one_of_chunks_and_cache,
                "vLLM up to 0.6 cannot run enable_chunked_prefill with enable_prefix_caching.",
            ),
        )

    def complete(self, config: Config) -> dict[str, Any]:
        """Follow `SchedulerConfig.__init__` of vLLM 0.5."""
        values = {
            "tensor_parallel_size": self.deployment.min_tensor_parallel_size,
            "max_model_len": self.deployment.max_model_len,
            "max_num_seqs": 256,
            "block_size": 16,
            "scheduler_delay_factor": 0.0,
            "enable_chunked_prefill": False,
            "enable_prefix_caching": False,
            "disable_custom_all_reduce": False,
            "use_v2_block_manager": False,
            **config,
        }
        is_chunked = values["enable_chunked_prefill"]
        num_tokens = 512 if is_chunked else max(values["max_model_len"], 2048)
        values.setdefault("max_num_batched_tokens", num_tokens)
        return values


def _batch_parameters(
    deployment: Deployment, defaults: Mapping[str, Any]
) -> tuple[IntegerParameter, ...]:
    # Without chunked prefill a step must hold the longest prompt, so a long context widens the
    # range; so does a large accelerator, whose default is above the paper's.
    largest = max(MAX_BATCH, deployment.max_model_len, defaults["max_num_batched_tokens"])
    return (
        tensor_parallel_parameter(deployment),
        IntegerParameter("max_num_seqs", MIN_BATCH, MAX_BATCH),
        IntegerParameter("max_num_batched_tokens", MIN_BATCH, largest),
    )


def _common_rules(deployment: Deployment) -> tuple[Rule, ...]:
    rules = (
        Rule(
            "batched_tokens_cover_seqs",
            _batch_covers_sequences,
            "max_num_batched_tokens must be at least max_num_seqs.",
        ),
        Rule(
            "batched_tokens_cover_longest_prompt",
            _batch_covers_longest_prompt,
            "Without enable_chunked_prefill, max_num_batched_tokens must be at least "
            f"max_model_len ({deployment.max_model_len}).",
        ),
    )
    return (*rules, *heads_divide(deployment))


def _batch_covers_sequences(values: Mapping[str, Any]) -> bool:
    return bool(values["max_num_batched_tokens"] >= values["max_num_seqs"])


def _batch_covers_longest_prompt(values: Mapping[str, Any]) -> bool:
    if values["enable_chunked_prefill"]:
        return True
    return bool(values["max_num_batched_tokens"] >= values["max_model_len"])


def _one_of_chunks_and_cache(values: Mapping[str, Any]) -> bool:
    return not (values["enable_chunked_prefill"] and values["enable_prefix_caching"])
