"""The all-reduce between the GPUs of one tensor-parallel group."""

from dataclasses import dataclass

from trainables.hardware import Accelerator
from trainables.simulator.config import EngineConfig

# vLLM's custom kernel takes messages up to this size (CustomAllreduce.max_size).
CUSTOM_MAX_BYTES = 8 * 2**20
# NCCL's protocol and launch cost a few times the custom kernel's latency on small messages...
NCCL_LATENCY_FACTOR = 2.5
# ...but its rings use links better on large ones.
CUSTOM_BANDWIDTH_EFFICIENCY = 0.6
NCCL_BANDWIDTH_EFFICIENCY = 0.8


@dataclass(frozen=True)
class AllReduce:
    """Price an all-reduce: latency that grows with the number of GPUs, plus the ring's traffic."""

    accelerator: Accelerator
    config: EngineConfig

    def seconds(self, message_bytes: float) -> float:
        """Return the time for a message of `message_bytes` on every GPU; 0 for one GPU."""
        t = self.config.tensor_parallel_size
        if t == 1:
            return 0.0
        is_custom = self.has_custom_kernel and message_bytes <= CUSTOM_MAX_BYTES
        factor = 1.0 if is_custom else NCCL_LATENCY_FACTOR
        efficiency = CUSTOM_BANDWIDTH_EFFICIENCY if is_custom else NCCL_BANDWIDTH_EFFICIENCY
        # Latency is stated for two GPUs; each doubling adds a synchronisation of half of it.
        latency_s = factor * self.accelerator.interconnect_latency_s * t.bit_length() / 2
        traffic_bytes = 2 * (t - 1) / t * message_bytes
        return latency_s + traffic_bytes / (self.accelerator.interconnect_bytes_per_s * efficiency)

    @property
    def has_custom_kernel(self) -> bool:
        """Tell whether vLLM would use its own kernel: on request, and if all GPUs are linked."""
        is_linked = self.accelerator.is_fully_connected or self.config.tensor_parallel_size == 2
        return is_linked and not self.config.disable_custom_all_reduce
