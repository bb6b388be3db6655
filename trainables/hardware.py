"""The accelerators that the simulator knows, with their makers' published numbers.

Flops are dense half-precision (bf16 or fp16) without sparsity. Interconnect bandwidth is one
direction of one GPU. Makers publish neither the latency of an all-reduce nor the flops that a GPU
sustains; these columns are measured, by whom is said at the constants.
"""

import difflib
import re
from dataclasses import dataclass

from scoot_ray.core.errors import StudyError

GIB = 2**30
# NCCL's shortest times for two GPUs in the profiles published with Vidur (Agrawal et al., MLSys
# 2024): 7 to 10 us over NVLink, and 6 to 12 us per doubling over PCIe.
NVLINK_LATENCY_S = 8e-6
PCIE_LATENCY_S = 10e-6
# Large products of Vidur's profiles reach 0.70 to 0.76 of the peak on A100, A40 and H100 alike,
# whatever their tiles: power, not the tensor cores, is the limit.
SUSTAINED_SHARE = 0.76
# "AMD MI300X GPU Performance Analysis" (Ambati et al., 2025, arXiv 2510.27583): about 45 %.
MI300X_SUSTAINED_SHARE = 0.45


@dataclass(frozen=True)
class Accelerator:
    """Describe one accelerator.

    Attributes:
        name: As in the table.
        memory_bytes: Memory that a process can see.
        memory_bandwidth_bytes_per_s: Peak bandwidth of that memory.
        peak_flops: Peak dense half-precision floating-point operations per second.
        num_sms: Streaming multiprocessors (AMD: compute units; CPU: cores).
        interconnect_bytes_per_s: Peak bandwidth to the other GPUs of a node, one direction.
        interconnect_latency_s: Time of an all-reduce of next to nothing between two GPUs, which
            each doubling of their number adds again.
        is_fully_connected: All GPUs of a node reach each other directly (NVLink, Infinity
            Fabric), which custom all-reduce kernels need beyond two GPUs.
        has_switch_reduction: The switch between the GPUs adds up (NVLink SHARP).
        sustained_flops_share: Of peak flops, by long matrix products under the power limit.
    """

    name: str
    memory_bytes: int
    memory_bandwidth_bytes_per_s: float
    peak_flops: float
    num_sms: int
    interconnect_bytes_per_s: float
    interconnect_latency_s: float
    is_fully_connected: bool
    has_switch_reduction: bool = False
    sustained_flops_share: float = SUSTAINED_SHARE


# Each peak is num_sms x operations per clock x boost clock: 1,024 on GA102 and AD10x (half of it on
# the A10G), 2,048 on GA100 and CDNA 3, 4,096 on GH100, 8,192 on Blackwell.
ACCELERATORS = (
    # NVIDIA A10 datasheet (nvidia.com/en-us/data-center/products/a10-gpu): 24 GB, 600 GB/s,
    # 125 TFLOPS, PCIe Gen4 64 GB/s both ways; 9,216 CUDA cores of 128 per SM.
    Accelerator("A10", 24 * GIB, 600e9, 125e12, 72, 32e9, PCIE_LATENCY_S, False),
    # NVIDIA A10G datasheet, in AWS EC2 G5 (aws.amazon.com/ec2/instance-types/g5): 24 GB, 600 GB/s,
    # 70 TFLOPS, PCIe Gen4; 80 SMs.
    Accelerator("A10G", 24 * GIB, 600e9, 70e12, 80, 32e9, PCIE_LATENCY_S, False),
    # NVIDIA A40 datasheet (nvidia.com/en-us/data-center/a40): 48 GB, 696 GB/s, 149.7 TFLOPS, PCIe
    # Gen4 (NVLink joins pairs only); 10,752 CUDA cores, 84 SMs.
    Accelerator("A40", 48 * GIB, 696e9, 149.7e12, 84, 32e9, PCIE_LATENCY_S, False),
    # NVIDIA A100 datasheet (nvidia.com/en-us/data-center/a100), SXM 40 GB: 1,555 GB/s, 312 TFLOPS,
    # NVLink 600 GB/s both ways; 108 SMs (NVIDIA Ampere architecture white paper).
    Accelerator("A100-40GB", 40 * GIB, 1555e9, 312e12, 108, 300e9, NVLINK_LATENCY_S, True),
    # The same datasheet, SXM 80 GB: 2,039 GB/s.
    Accelerator("A100-80GB", 80 * GIB, 2039e9, 312e12, 108, 300e9, NVLINK_LATENCY_S, True),
    # NVIDIA H100 datasheet (nvidia.com/en-us/data-center/h100), SXM: 80 GB, 3.35 TB/s, 989 TFLOPS,
    # NVLink 900 GB/s both ways; 132 SMs (NVIDIA Hopper architecture white paper).
    Accelerator("H100", 80 * GIB, 3.35e12, 989e12, 132, 450e9, NVLINK_LATENCY_S, True, True),
    # NVIDIA H200 datasheet (nvidia.com/en-us/data-center/h200), SXM: 141 GB (decimal), 4.8 TB/s,
    # 989 TFLOPS, NVLink 900 GB/s both ways; 132 SMs.
    Accelerator("H200", 141_000_000_000, 4.8e12, 989e12, 132, 450e9, NVLINK_LATENCY_S, True, True),
    # NVIDIA L4 datasheet (nvidia.com/en-us/data-center/l4): 24 GB, 300 GB/s, 121 TFLOPS dense
    # (242 sparse), PCIe Gen4; 7,424 CUDA cores, 58 SMs. Sustains less than the others on 72 W,
    # by how much is not known here.
    Accelerator("L4", 24 * GIB, 300e9, 121e12, 58, 32e9, PCIE_LATENCY_S, False),
    # NVIDIA L40S datasheet (nvidia.com/en-us/data-center/l40s): 48 GB, 864 GB/s, 362 TFLOPS dense,
    # PCIe Gen4; 18,176 CUDA cores, 142 SMs.
    Accelerator("L40S", 48 * GIB, 864e9, 362e12, 142, 32e9, PCIE_LATENCY_S, False),
    # AMD Instinct MI300X datasheet (amd.com/en/products/accelerators/instinct/mi300/mi300x.html):
    # 192 GB, 5.3 TB/s, 1,307.4 TFLOPS, 304 compute units, 7 links of 128 GB/s both ways.
    Accelerator(
        *("MI300X", 192 * GIB, 5.3e12, 1307.4e12, 304, 448e9, NVLINK_LATENCY_S, True),
        sustained_flops_share=MI300X_SUSTAINED_SHARE,
    ),
    # NVIDIA HGX B200 datasheet (nvidia.com/en-us/data-center/hgx), per GPU: 180 GB (decimal),
    # 7.7 TB/s, 2.25 PFLOPS dense, NVLink 1.8 TB/s both ways; 148 SMs (Chips and Cheese, 2025).
    Accelerator("B200", 180_000_000_000, 7.7e12, 2250e12, 148, 900e9, NVLINK_LATENCY_S, True, True),
    # A small server: 16 GiB, two channels DDR5-4800 (76.8 GB/s, JEDEC), 8 cores x 2.4 GHz x
    # 64 fp32 operations per cycle (two AVX-512 FMA units); shared memory between processes.
    Accelerator("CPU", 16 * GIB, 76.8e9, 1.23e12, 8, 20e9, PCIE_LATENCY_S, True),
)

# Folded spellings that are not a table name; the first block are Ray's accelerator types.
ALIASES = {
    "a100": "A100-40GB",
    "a10040g": "A100-40GB",
    "a10080g": "A100-80GB",
    "h10080gb": "H100",
    "h200141gb": "H200",
    "mi300xoam": "MI300X",
    "l40s48gb": "L40S",
    "b200180gb": "B200",
}


def find_accelerator(name: str) -> Accelerator:
    """Look up an accelerator by table name or alias, whatever the case and punctuation.

    Raises:
        StudyError: Naming the nearest known name and all of them.
    """
    folded = _fold(name)
    by_key = {_fold(accelerator.name): accelerator for accelerator in ACCELERATORS}
    by_key |= {alias: by_key[_fold(target)] for alias, target in ALIASES.items()}
    if folded in by_key:
        return by_key[folded]
    close = difflib.get_close_matches(folded, by_key, n=1)
    hint = f" Did you mean {by_key[close[0]].name}?" if close else ""
    names = ", ".join(accelerator.name for accelerator in ACCELERATORS)
    raise StudyError(f"service.accelerator: {name!r} is not known.{hint} The names are: {names}.")


def _fold(name: str) -> str:
    words = re.split(r"[^a-z0-9]+", name.lower())
    maker = re.compile(r"nvidia|amd|tesla|instinct|pcie|sxm\d*|hbm\d\w*")
    return "".join(word for word in words if not maker.fullmatch(word))
