"""The engine's start-up parameters, under the engine's own names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from math import inf
from numbers import Integral, Real
from typing import Any

from scoot_ray.core.errors import EngineError, did_you_mean
from trainables.model import ModelShape

# Flags of a real engine that change neither the time nor the memory of a simulated one.
INERT_FLAGS = frozenset(
    {
        "disable_log_requests",
        "disable_log_stats",
        "download_dir",
        "dtype",
        "enable_log_requests",
        "load_format",
        "seed",
        "served_model_name",
        "swap_space",
        "tokenizer",
        "trust_remote_code",
    }
)
# 0 says "no limit".
MAY_BE_ZERO = frozenset({"long_prefill_token_threshold"})


@dataclass(frozen=True)
class EngineConfig:
    """Hold every parameter that the simulated engine obeys; defaults are those of vLLM V1.

    Each is documented by vLLM under the same name. `max_num_batched_tokens` and `max_model_len`
    are always resolved to numbers here.
    """

    max_num_batched_tokens: int
    max_model_len: int
    tensor_parallel_size: int = 1
    max_num_seqs: int = 256
    block_size: int = 16
    gpu_memory_utilization: float = 0.9
    enable_chunked_prefill: bool = True
    enable_prefix_caching: bool = True
    long_prefill_token_threshold: int = 0
    scheduler_delay_factor: float = 0.0
    use_v2_block_manager: bool = False
    disable_custom_all_reduce: bool = False
    enforce_eager: bool = False
    async_scheduling: bool = False
    stream_interval: int = 1

    @classmethod
    def unknown(cls, names: Iterable[str]) -> list[str]:
        """List the names that the simulated engine does not have, in order."""
        return sorted(set(names) - {field.name for field in fields(cls)} - INERT_FLAGS)

    @classmethod
    def resolve(cls, config: Mapping[str, Any], model: ModelShape) -> "EngineConfig":
        """Fill in what depends on the model, and check names and values.

        Raises:
            EngineError: If the simulated engine has no such parameter, or not with this value.
        """
        names = [field.name for field in fields(cls)]
        known = {name: value for name, value in config.items() if value is not None}
        for name in cls.unknown(known):
            hint = did_you_mean(name, names)
            raise EngineError(
                f"The simulated engine has no parameter {name!r}; "
                f"its parameters are {', '.join(sorted(names))}.{hint}"
            )
        values = {name: value for name, value in known.items() if name in names}
        for field in fields(cls):
            if field.name in values:
                _require_value(field.name, values[field.name], field.type)
        max_model_len = values.setdefault("max_model_len", model.max_model_len)
        if values.get("enable_chunked_prefill", cls.enable_chunked_prefill):
            values.setdefault("max_num_batched_tokens", 2048)
        else:
            # Without chunks the longest prompt must fit into one step (vLLM's own rule).
            values.setdefault("max_num_batched_tokens", max(2048, max_model_len))
        return cls(**values)

    def complaint(self, model: ModelShape) -> str | None:
        """Return what vLLM would say when it refuses to start with these values, if it does."""
        if self.max_num_batched_tokens < self.max_num_seqs:
            return (
                f"max_num_batched_tokens ({self.max_num_batched_tokens}) must be greater than or "
                f"equal to max_num_seqs ({self.max_num_seqs})."
            )
        if not self.enable_chunked_prefill and self.max_num_batched_tokens < self.max_model_len:
            return (
                f"max_num_batched_tokens ({self.max_num_batched_tokens}) is smaller than "
                f"max_model_len ({self.max_model_len}). This effectively limits the maximum "
                "sequence length to max_num_batched_tokens and makes vLLM reject longer "
                "sequences. Please increase max_num_batched_tokens or decrease max_model_len."
            )
        if self.max_model_len > model.max_model_len:
            return (
                f"User-specified max_model_len ({self.max_model_len}) is greater than the derived "
                f"max_model_len (max_position_embeddings={model.max_model_len})."
            )
        if not model.fits_tensor_parallel(self.tensor_parallel_size):
            return (
                f"Total number of attention heads ({model.num_heads}) must be divisible by tensor "
                f"parallel size ({self.tensor_parallel_size})."
            )
        return None


def _require_value(name: str, value: Any, kind: Any) -> None:
    is_bool, low = isinstance(value, bool), 0 if name in MAY_BE_ZERO else 1
    if kind is bool:
        is_right, expected = is_bool, "true or false"
    elif kind is int:
        is_right = not is_bool and isinstance(value, Integral) and int(value) >= low
        expected = f"a whole number of at least {low}"
    else:
        is_right = not is_bool and isinstance(value, Real) and 0 <= float(value) < inf
        expected = "a number of at least 0"
    if not is_right:
        raise EngineError(f"{name}={value!r}: expected {expected}.")
