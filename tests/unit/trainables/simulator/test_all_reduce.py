from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.hardware import ACCELERATORS, Accelerator, find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.all_reduce import AllReduce
from trainables.simulator.config import EngineConfig

MODEL = load_model_shape("meta-llama/Llama-2-7b-hf")
MIB = 2**20


def all_reduce(
    accelerator: str | Accelerator, tensor_parallel_size: int, **config: Any
) -> AllReduce:
    if isinstance(accelerator, str):
        accelerator = find_accelerator(accelerator)
    full = config | {"tensor_parallel_size": tensor_parallel_size}
    return AllReduce(accelerator, EngineConfig.resolve(full, MODEL))


# NCCL's medians in the profiles published with Vidur (Agrawal et al., MLSys 2024, MIT licence):
# GPU, how many, MiB, microseconds.
@pytest.mark.parametrize(
    ("accelerator", "num_gpus", "message_bytes", "measured_us"),
    [
        ("A100-80GB", 2, 31457280, 224),
        ("A100-80GB", 4, 4325376, 90),
        ("A100-80GB", 4, 31457280, 307),
        ("A100-80GB", 8, 4325376, 100),
        ("A100-80GB", 8, 63700992, 655),
        ("H100", 2, 31457280, 126),
        ("H100", 4, 31457280, 157),
        ("H100", 8, 31457280, 188),
        ("H100", 8, 63700992, 338),
    ],
)
def test_nccl_takes_as_long_as_it_was_measured(
    accelerator: str, num_gpus: int, message_bytes: int, measured_us: float
) -> None:
    nccl = all_reduce(accelerator, num_gpus, disable_custom_all_reduce=True)
    assert 1e6 * nccl.seconds(message_bytes) == pytest.approx(measured_us, rel=0.3)


# vLLM's kernel on H100, less the launch of about 5 us that its smallest message shows:
# sgl-project/sglang#2904.
@pytest.mark.parametrize(
    ("num_gpus", "message_bytes", "measured_us"),
    [(2, 262144, 7.9), (8, 262144, 16.7), (2, MIB, 19.9), (4, MIB, 31.1), (8, MIB, 33.8)],
)
def test_the_custom_kernel_takes_as_long_as_it_was_measured(
    num_gpus: int, message_bytes: int, measured_us: float
) -> None:
    custom = all_reduce("H100", num_gpus)
    assert 1e6 * custom.seconds(message_bytes) == pytest.approx(measured_us, rel=0.35)


@given(
    accelerator=st.sampled_from(ACCELERATORS),
    degree=st.sampled_from([2, 4, 8]),
    message_bytes=st.integers(1, 64 * MIB),
    more=st.integers(1, 64 * MIB),
)
def test_longer_messages_and_more_gpus_never_cost_less(
    accelerator: Accelerator, degree: int, message_bytes: int, more: int
) -> None:
    nccl = all_reduce(accelerator, degree, disable_custom_all_reduce=True)
    assert nccl.seconds(message_bytes + more) > nccl.seconds(message_bytes)
    assert all_reduce(accelerator, degree).seconds(message_bytes) <= nccl.seconds(message_bytes)
    bandwidth_s = message_bytes / accelerator.interconnect_bytes_per_s
    assert nccl.seconds(message_bytes) > max(bandwidth_s, accelerator.interconnect_latency_s)


def test_one_gpu_reduces_nothing() -> None:
    assert all_reduce("H100", 1).seconds(MIB) == 0.0


def test_the_custom_kernel_needs_linked_gpus() -> None:
    assert not all_reduce("L4", 4).has_custom_kernel
    assert all_reduce("L4", 2).has_custom_kernel
    assert all_reduce("A100-80GB", 4).has_custom_kernel
    assert not all_reduce("A100-80GB", 4, disable_custom_all_reduce=True).has_custom_kernel


def test_small_messages_are_what_the_custom_kernel_is_for() -> None:
    message_bytes = 8 * MODEL.hidden_size * 2
    custom, nccl = (
        all_reduce("A100-80GB", 4, disable_custom_all_reduce=is_disabled).seconds(message_bytes)
        for is_disabled in (False, True)
    )
    assert custom < 0.6 * nccl
