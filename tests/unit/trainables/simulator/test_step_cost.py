from collections.abc import Callable
from typing import Any

import pytest

from trainables.hardware import Accelerator, find_accelerator
from trainables.model import ModelShape, load_model_shape
from trainables.simulator.batch import Batch
from trainables.simulator.config import EngineConfig
from trainables.simulator.decode_batch import DecodeBatch
from trainables.simulator.sequence import Sequence
from trainables.simulator.step_cost import RooflineCost
from trainables.simulator.version import V0, V1, EngineVersion

MakeCost = Callable[..., RooflineCost]

MakeSequence = Callable[..., Sequence]

# Milliseconds of one Llama-2-7B layer's matrix products and elementwise kernels on one A100 80 GB,
# by tensor_parallel_size and tokens: medians of the profiles published with Vidur (Agrawal et al.,
# MLSys 2024, MIT licence).
PROFILED_MS = {
    (1, 1): 0.29,
    (1, 128): 0.3825,
    (1, 1024): 2.123,
    (1, 4096): 8.1226,
    (2, 256): 0.33,
    (4, 512): 0.318,
    (8, 64): 0.074,
    (8, 2048): 0.6178,
}


@pytest.fixture
def make_cost(model: ModelShape, accelerator: Accelerator) -> MakeCost:
    def make(
        version: EngineVersion = V1,
        model: ModelShape = model,
        accelerator: Accelerator = accelerator,
        **config: Any,
    ) -> RooflineCost:
        return RooflineCost(model, accelerator, EngineConfig.resolve(config, model), version.host)

    return make


def decodes(make_sequence: MakeSequence, num_seqs: int, context_tokens: int) -> Batch:
    batch, decoding = Batch(), DecodeBatch(block_size=16)
    for _ in range(num_seqs):
        decoding.join(make_sequence(context_tokens, 1000))
    batch.add_decodes(decoding)
    return batch


def prefill(make_sequence: MakeSequence, num_tokens: int) -> Batch:
    batch = Batch()
    batch.add_prefill(make_sequence(num_tokens), num_tokens)
    return batch


@pytest.mark.parametrize(("setting", "profiled_ms"), PROFILED_MS.items())
def test_a_layer_is_within_a_quarter_of_its_profile(
    make_cost: MakeCost, setting: tuple[int, int], profiled_ms: float
) -> None:
    tensor_parallel_size, num_tokens = setting
    cost = make_cost(tensor_parallel_size=tensor_parallel_size)
    layer_ms = 1e3 * (cost.linear_s(num_tokens) + cost.elementwise_s(num_tokens))
    assert layer_ms == pytest.approx(profiled_ms, rel=0.25)


def test_one_decode_takes_as_long_as_reading_the_weights_and_little_more(
    make_cost: MakeCost,
    make_sequence: MakeSequence,
    model: ModelShape,
    accelerator: Accelerator,
) -> None:
    read_s = model.weight_bytes / accelerator.memory_bandwidth_bytes_per_s
    assert read_s < make_cost().step_s(decodes(make_sequence, 1, 100)) < 2 * read_s


def test_longer_contexts_and_larger_batches_cost_more(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    cost = make_cost()
    base = cost.step_s(decodes(make_sequence, 32, 500))
    assert cost.step_s(decodes(make_sequence, 32, 1000)) > base
    assert base < cost.step_s(decodes(make_sequence, 64, 500)) < 2 * base


def test_attention_makes_long_prompts_more_than_proportional(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    cost = make_cost()
    assert cost.attention_s(prefill(make_sequence, 4000)) > 3 * cost.attention_s(
        prefill(make_sequence, 2000)
    )


def test_a_later_chunk_attends_to_the_earlier_ones(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    later = prefill(make_sequence, 1000)
    later.prefills[0][0].num_computed_tokens = 3000
    cost = make_cost()
    assert cost.attention_s(later) > 3 * cost.attention_s(prefill(make_sequence, 1000))


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        ({"enforce_eager": True}, {}),
        ({}, {"async_scheduling": True}),
        ({"block_size": 8}, {"block_size": 32}),
        (
            {"tensor_parallel_size": 4, "disable_custom_all_reduce": True},
            {"tensor_parallel_size": 4},
        ),
        ({}, {"tensor_parallel_size": 2}),
        ({}, {"stream_interval": 8}),
    ],
)
def test_parameters_change_a_decode_step_in_their_direction(
    make_cost: MakeCost,
    make_sequence: MakeSequence,
    slower: dict[str, Any],
    faster: dict[str, Any],
) -> None:
    batch = decodes(make_sequence, 16, 1000)
    assert make_cost(**faster).step_s(batch) < make_cost(**slower).step_s(batch)


def test_v0_captures_no_graphs_for_prompts(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    assert make_cost(V1).is_graphed(prefill(make_sequence, 64))
    assert not make_cost(V0).is_graphed(prefill(make_sequence, 64))
    assert make_cost(V0).is_graphed(decodes(make_sequence, 64, 10))


def test_a_mixture_of_experts_reads_those_that_are_visited(
    make_cost: MakeCost,
) -> None:
    mixtral = make_cost(model=load_model_shape("mistralai/Mixtral-8x7B-v0.1"))
    dense = make_cost(model=load_model_shape("mistralai/Mistral-7B-v0.1"))
    # One token visits 2 of 8 experts; a few hundred visit all of them.
    assert 1.4 < mixtral.linear_s(1) / dense.linear_s(1) < 2.0
    assert mixtral.linear_s(64) / dense.linear_s(64) > 4.0


def test_custom_all_reduce_needs_linked_gpus(make_cost: MakeCost) -> None:
    l4 = find_accelerator("L4")
    assert not make_cost(accelerator=l4, tensor_parallel_size=4).all_reduce.has_custom_kernel
    assert make_cost(accelerator=l4, tensor_parallel_size=2).all_reduce.has_custom_kernel
    assert make_cost(tensor_parallel_size=4).all_reduce.has_custom_kernel
