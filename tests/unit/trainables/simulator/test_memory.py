from typing import Any

import pytest

from scoot_ray.core.errors import ClusterError
from scoot_ray.core.failure import Phase
from trainables.hardware import GIB, Accelerator, find_accelerator
from trainables.model import ModelShape, load_model_shape
from trainables.simulator.config import EngineConfig
from trainables.simulator.memory import MemoryPlan, fits, min_tensor_parallel_size
from trainables.simulator.version import V0, V1


def plan(model: ModelShape, accelerator: Accelerator, **config: Any) -> MemoryPlan:
    return MemoryPlan(model, accelerator, EngineConfig.resolve(config, model), V1)


def test_the_kv_cache_is_what_is_left_of_the_budget(
    model: ModelShape, accelerator: Accelerator
) -> None:
    memory = plan(model, accelerator)
    taken = memory.weight_bytes + memory.peak_activation_bytes + memory.non_torch_bytes
    assert memory.kv_cache_bytes == memory.budget_bytes - taken
    # 72 GiB less 12.6 GiB of weights is 59.4 GiB, or 7,607 blocks of 8 MiB if all went to them.
    assert 0.95 * 7607 < memory.num_kv_blocks < 7607


@pytest.mark.parametrize("name", ["max_num_seqs", "max_num_batched_tokens"])
def test_larger_steps_leave_fewer_blocks(
    model: ModelShape, accelerator: Accelerator, name: str
) -> None:
    small = plan(model, accelerator, **{name: 2048})
    large = plan(model, accelerator, **{name: 8192})
    assert large.num_kv_blocks < small.num_kv_blocks


def test_more_gpus_hold_more_tokens_than_their_number(
    model: ModelShape, accelerator: Accelerator
) -> None:
    one = plan(model, accelerator).num_kv_blocks
    assert plan(model, accelerator, tensor_parallel_size=2).num_kv_blocks > 2 * one


@pytest.mark.parametrize(
    ("accelerator", "config", "cause", "words"),
    [
        ("L4", {"gpu_memory_utilization": 0.5}, "out_of_memory", "No available memory"),
        ("A10", {"gpu_memory_utilization": 0.62}, "kv_cache_too_small", "max seq len (4096)"),
        ("A100-80GB", {"gpu_memory_utilization": 1.0}, "out_of_memory", "Free memory on device"),
        ("A100-80GB", {"gpu_memory_utilization": 0.99}, "out_of_memory", "CUDA out of memory"),
    ],
)
def test_starting_fails_in_vllms_words(
    model: ModelShape, accelerator: str, config: dict[str, Any], cause: str, words: str
) -> None:
    failure = fits(model, find_accelerator(accelerator), 1, config, V1)
    assert failure is not None
    assert (failure.phase, failure.cause) == (Phase.START, cause)
    assert words in failure.log_tail[-1]


def test_weights_that_do_not_fit_run_out_of_memory(accelerator: Accelerator) -> None:
    large = load_model_shape("meta-llama/Llama-2-70b-hf")
    failure = fits(large, accelerator, 1, {}, V1)
    assert failure is not None
    assert failure.cause == "out_of_memory"
    assert fits(large, accelerator, 4, {}, V1) is None


def test_memory_outside_the_budget_can_run_out_under_load(
    model: ModelShape, accelerator: Accelerator
) -> None:
    tight = plan(model, accelerator, gpu_memory_utilization=0.985, max_num_batched_tokens=8192)
    assert tight.start_failure() is None
    assert tight.load_failure(16, 16) is None
    failure = tight.load_failure(8192, 256)
    assert failure is not None
    assert (failure.phase, failure.cause) == (Phase.LOAD, "out_of_memory")
    assert plan(model, accelerator).load_failure(8192, 256) is None


def test_the_fewest_gpus_are_a_power_of_two_that_fits() -> None:
    a100, large = find_accelerator("A100-80GB"), load_model_shape("meta-llama/Llama-2-70b-hf")
    assert min_tensor_parallel_size(load_model_shape("Qwen/Qwen2.5-7B"), a100, 8, 4096, V1) == 1
    assert min_tensor_parallel_size(large, a100, 8, 4096, V1) == 2
    with pytest.raises(ClusterError, match="2 GPUs would hold it"):
        min_tensor_parallel_size(large, a100, 1, 4096, V1)


def test_a_model_that_no_number_of_gpus_holds_says_so() -> None:
    small_heads = load_model_shape("Qwen/Qwen2.5-7B")  # 28 heads: at most 4 GPUs
    with pytest.raises(ClusterError, match="no number of such GPUs"):
        min_tensor_parallel_size(small_heads, find_accelerator("L4"), 8, 4_000_000, V1)


def test_replicated_kv_heads_are_paid_for(accelerator: Accelerator) -> None:
    qwen = load_model_shape("Qwen/Qwen2.5-0.5B")  # 2 KV heads
    two = plan(qwen, accelerator, tensor_parallel_size=2).kv_bytes_per_token
    assert two * 2 == qwen.kv_bytes_per_token
    assert accelerator.memory_bytes == 80 * GIB


def test_each_generation_pays_for_the_graphs_that_it_captures(
    model: ModelShape, accelerator: Accelerator
) -> None:
    config = EngineConfig.resolve({"max_num_seqs": 512}, model)
    old, new = (MemoryPlan(model, accelerator, config, v).graph_bytes for v in (V0, V1))
    assert old / new == 35 / 51


def test_fewer_graphs_fit_where_more_do_not(model: ModelShape, accelerator: Accelerator) -> None:
    tight = {"gpu_memory_utilization": 0.9875}
    assert fits(model, accelerator, 1, tight, V0) is None
    assert fits(model, accelerator, 1, tight, V1) is not None
