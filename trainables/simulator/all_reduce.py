"""The all-reduce between the GPUs of one tensor-parallel group.

NCCL is a pipelined ring: with chunks of the best size, latency a and transfer time b make
(sqrt(a) + sqrt(b))^2: a + b, and the fill of the pipeline. Where the switch adds up (NVLink SHARP,
since Hopper) a GPU sends each value once. With the latencies of `hardware` and one share of the
link this is, from 8 to 64 MiB, within 4 % in the mean of NCCL's times on four and eight A100s over
NVLink, 17 % below them on two, and 14 to 29 % above them on H100s; 6 % (A100) and 18 % (H100) on
four GPUs over PCIe (profiles published with Vidur: Agrawal et al., MLSys 2024). Those of smaller
messages were taken without CUDA graphs, and show the host rather than the link.

vLLM's own kernel has half of the latency, but its loads are driven by the SMs: on H100 it moves 65
to 80 GB/s whatever the link can (measured in sgl-project/sglang#2904, from 0.25 to 1 MiB).
"""

from dataclasses import dataclass
from functools import cached_property
from math import log2, sqrt

from trainables.hardware import Accelerator
from trainables.simulator.config import EngineConfig

# vLLM's custom kernel takes messages up to this size (CustomAllreduce.max_size). Between 1 MiB,
# where its measurements end, and here it is taken to be no slower than NCCL.
CUSTOM_MAX_BYTES = 8 * 2**20
CUSTOM_LATENCY_SHARE = 0.5  # of NCCL's
CUSTOM_BYTES_PER_S = 70e9
NCCL_BANDWIDTH_SHARE = 0.85


@dataclass(frozen=True)
class AllReduce:
    """Price an all-reduce over NVLink, Infinity Fabric or PCIe."""

    accelerator: Accelerator
    config: EngineConfig

    def seconds(self, message_bytes: float) -> float:
        """Return the time for a message of `message_bytes` on every GPU; 0 for one GPU."""
        if self.config.tensor_parallel_size == 1:
            return 0.0
        nccl_s = self._nccl_s(message_bytes)
        if self.has_custom_kernel and message_bytes <= CUSTOM_MAX_BYTES:
            return min(nccl_s, self._custom_s(message_bytes))
        return nccl_s

    @cached_property
    def has_custom_kernel(self) -> bool:
        """Tell whether vLLM would use its own kernel: on request, and if all GPUs are linked."""
        is_linked = self.accelerator.is_fully_connected or self.config.tensor_parallel_size == 2
        return is_linked and not self.config.disable_custom_all_reduce

    @cached_property
    def _latency_s(self) -> float:
        """Each doubling of the group adds one synchronisation."""
        return self.accelerator.interconnect_latency_s * log2(self.config.tensor_parallel_size)

    def _ring_bytes(self, message_bytes: float) -> float:
        t = self.config.tensor_parallel_size
        return 2 * (t - 1) / t * message_bytes

    def _nccl_s(self, message_bytes: float) -> float:
        t = self.config.tensor_parallel_size
        traffic_bytes = self._ring_bytes(message_bytes)
        if self.accelerator.has_switch_reduction and t > 2:
            traffic_bytes = (t + 1) / t * message_bytes
        transfer_s = traffic_bytes / (
            self.accelerator.interconnect_bytes_per_s * NCCL_BANDWIDTH_SHARE
        )
        return (sqrt(self._latency_s) + sqrt(transfer_s)) ** 2

    def _custom_s(self, message_bytes: float) -> float:
        rate = min(CUSTOM_BYTES_PER_S, self.accelerator.interconnect_bytes_per_s)
        return CUSTOM_LATENCY_SHARE * self._latency_s + self._ring_bytes(message_bytes) / rate
