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


def test_a_graph_pads_its_step_to_the_captured_size(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    cost = make_cost()

    def layers_s(num_seqs: int) -> float:
        batch = decodes(make_sequence, num_seqs, 9600 // num_seqs)
        host_s = V1.host.step_s(batch, cost.config)
        return cost.step_s(batch) - cost.sampling_s(num_seqs) - host_s

    # Graphs are captured for 56 and 64 tokens: 60 are padded to 64. The context is the same.
    assert layers_s(60) == pytest.approx(layers_s(64))
    assert layers_s(48) < layers_s(64)


def test_a_prompt_under_graphs_launches_less_than_one_beyond_them(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    batch = prefill(make_sequence, 16)
    graphed, compiled = make_cost(), make_cost(max_num_seqs=4)
    eager = make_cost(enforce_eager=True)
    assert not compiled.is_graphed(batch)
    assert graphed.step_s(batch) < compiled.step_s(batch) < eager.step_s(batch)


def test_measured_operators_replace_the_analytic_ones(
    make_cost: MakeCost, make_sequence: MakeSequence, model: ModelShape, accelerator: Accelerator
) -> None:
    class Constant:
        def linear_s(self, num_tokens: int) -> float:
            return 1.0

        def elementwise_s(self, num_tokens: int) -> float:
            return 0.5

    config = make_cost().config
    cost = RooflineCost(model, accelerator, config, V1.host, operators=Constant())
    assert cost.step_s(decodes(make_sequence, 1, 1)) == pytest.approx(model.num_layers * 1.5, 1e-3)


def test_gpus_of_a_group_produce_less_each(
    make_cost: MakeCost, make_sequence: MakeSequence
) -> None:
    # A small model on NVLink: latency falls with tensor parallelism, throughput per GPU too, as
    # LambdaLabsML/vllm-benchmark measured for Mistral-7B (3,281 to 4,397 tokens/s on 1 to 8 H100s).
    batch = decodes(make_sequence, 256, 400)
    steps_s = [make_cost(tensor_parallel_size=t).step_s(batch) for t in (1, 2, 4, 8)]
    assert steps_s == sorted(steps_s, reverse=True)
    per_gpu = [1 / (t * step_s) for t, step_s in zip((1, 2, 4, 8), steps_s, strict=True)]
    assert per_gpu == sorted(per_gpu, reverse=True)
    assert per_gpu[3] < 0.6 * per_gpu[0]


# Median time between tokens of vLLM 0.5.4 with 320 prompts of ShareGPT at once, batches of 256:
# LambdaLabsML/vllm-benchmark, benchmark_v0.md.
@pytest.mark.parametrize(
    ("tensor_parallel_size", "measured_ms"), [(1, 27.2), (2, 24.3), (4, 21.8), (8, 21.6)]
)
def test_decode_steps_of_mistral_on_h100_are_as_long_as_measured(
    make_cost: MakeCost,
    make_sequence: MakeSequence,
    tensor_parallel_size: int,
    measured_ms: float,
) -> None:
    cost = make_cost(
        V0,
        load_model_shape("mistralai/Mistral-7B-v0.1"),
        find_accelerator("H100"),
        tensor_parallel_size=tensor_parallel_size,
    )
    step_ms = 1e3 * cost.step_s(decodes(make_sequence, 256, 400))
    assert step_ms == pytest.approx(measured_ms, rel=0.2)
