from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.hardware import ACCELERATORS, Accelerator, find_accelerator
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.matmul import Matmul

sizes = st.integers(1, 8192)
accelerators = st.sampled_from(ACCELERATORS)


def matmul(accelerator: Accelerator) -> Matmul:
    return Matmul(accelerator, Efficiency(), bytes_per_value=2)


@given(accelerator=accelerators, rows=sizes, inputs=sizes, outputs=sizes)
def test_no_product_beats_the_roofline(
    accelerator: Accelerator, rows: int, inputs: int, outputs: int
) -> None:
    seconds = matmul(accelerator).seconds(rows, inputs, outputs)
    weights_s = 2 * inputs * outputs / accelerator.memory_bandwidth_bytes_per_s
    assert seconds > max(weights_s, 2 * rows * inputs * outputs / accelerator.peak_flops)


@given(accelerator=accelerators, rows=sizes, more=sizes, inputs=sizes, outputs=sizes)
def test_more_rows_or_columns_never_cost_less(
    accelerator: Accelerator, rows: int, more: int, inputs: int, outputs: int
) -> None:
    seconds = matmul(accelerator).seconds
    assert seconds(rows + more, inputs, outputs) >= seconds(rows, inputs, outputs)
    assert seconds(rows, inputs, outputs + more) >= seconds(rows, inputs, outputs)


@given(accelerator=accelerators, rows=sizes, factor=st.floats(1, 4))
def test_faster_hardware_is_never_slower(
    accelerator: Accelerator, rows: int, factor: float
) -> None:
    bandwidth = factor * accelerator.memory_bandwidth_bytes_per_s
    for faster in (
        replace(accelerator, memory_bandwidth_bytes_per_s=bandwidth),
        replace(accelerator, peak_flops=factor * accelerator.peak_flops),
    ):
        seconds = matmul(accelerator).seconds(rows, 4096, 4096)
        assert matmul(faster).seconds(rows, 4096, 4096) <= seconds


def test_the_row_that_opens_another_wave_is_dear() -> None:
    # 22,016 columns are 86 tiles of 256, so rows of tiles open waves on the 108 SMs of an A100;
    # the profile published with Vidur steps at the same numbers of tokens.
    seconds = matmul(find_accelerator("A100-80GB")).seconds
    step = seconds(392, 4096, 22016) / seconds(384, 4096, 22016)
    assert step > 1.15
    assert seconds(384, 4096, 22016) / seconds(376, 4096, 22016) < 1.025


def test_a_skinny_product_is_split_to_fill_the_machine() -> None:
    accelerator = find_accelerator("A100-80GB")
    read_s = 2 * 11008 * 4096 / accelerator.memory_bandwidth_bytes_per_s
    # Unsplit, 32 tiles would each multiply 11,008 inputs alone, for twice as long.
    assert matmul(accelerator).seconds(1, 11008, 4096) < 1.5 * read_s


def test_large_products_sustain_what_the_table_says() -> None:
    for accelerator in ACCELERATORS:
        flops = 2 * 8192**3 / matmul(accelerator).seconds(8192, 8192, 8192)
        share = flops / accelerator.peak_flops / accelerator.sustained_flops_share
        assert 0.8 < share < 1.0


def test_experts_share_a_kernel_and_pay_for_their_tiles() -> None:
    seconds = matmul(find_accelerator("H100")).seconds
    together = seconds(128, 4096, 4096, num_matrices=8)
    assert together < 8 * seconds(128, 4096, 4096)
    # Eight experts with 16 rows each fill tiles worse than one product of 128 rows.
    assert seconds(16, 4096, 4096, num_matrices=8) > 4 * seconds(128, 4096, 4096)


@pytest.mark.parametrize("rows", [1, 64])
def test_bandwidth_bounds_few_rows(rows: int) -> None:
    accelerator = find_accelerator("A100-80GB")
    slower = replace(
        accelerator, memory_bandwidth_bytes_per_s=accelerator.memory_bandwidth_bytes_per_s / 2
    )
    ratio = matmul(slower).seconds(rows, 8192, 28672) / matmul(accelerator).seconds(
        rows, 8192, 28672
    )
    assert 1.7 < ratio < 2.0
