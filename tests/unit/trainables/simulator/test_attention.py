from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.attention import Attention
from trainables.simulator.batch import Batch
from trainables.simulator.config import EngineConfig
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.sequence import Sequence

MODEL = load_model_shape("meta-llama/Llama-2-7b-hf")


def attention(accelerator: str = "A100-80GB", **config: Any) -> Attention:
    full = EngineConfig.resolve(config, MODEL)
    return Attention(MODEL, find_accelerator(accelerator), full, Efficiency())


def prompt_flops(accelerator: str, num_tokens: int) -> float:
    """Operations per second of causal prompts, 16,384 tokens in sum, as papers count them."""
    total = 16384
    pairs = total * num_tokens / 2
    seconds = attention(accelerator).prefill_s(
        pairs + total * Efficiency().prefill_extra_keys, total
    )
    return 4 * MODEL.num_heads * MODEL.head_dim * pairs / seconds


@pytest.mark.parametrize(
    ("num_tokens", "low_tflops", "high_tflops"),
    [(512, 300, 450), (2048, 450, 580), (16384, 570, 640)],
)
def test_prompts_on_an_h100_are_as_fast_as_flash_attention_3(
    num_tokens: int, low_tflops: float, high_tflops: float
) -> None:
    # pytorch/benchmark#2391: 430, 566 and 621 TFLOPS.
    assert low_tflops < 1e-12 * prompt_flops("H100", num_tokens) < high_tflops


def test_decodes_are_bound_by_bandwidth() -> None:
    accelerator = find_accelerator("A100-80GB")
    context_tokens = 100_000
    kv_bytes = context_tokens * MODEL.kv_bytes_per_token / MODEL.num_layers
    share = kv_bytes / accelerator.memory_bandwidth_bytes_per_s
    assert 0.7 < share / attention(block_size=32).decode_s(context_tokens) < 0.8


@given(tokens=st.integers(1, 10**6), more=st.integers(1, 10**6))
def test_more_context_and_smaller_blocks_cost_more(tokens: int, more: int) -> None:
    small, large = attention(block_size=8), attention(block_size=32)
    assert small.decode_s(tokens) > large.decode_s(tokens)
    assert large.decode_s(tokens + more) > large.decode_s(tokens)


def test_chunks_of_a_prompt_cost_about_the_whole(make_sequence: Callable[..., Sequence]) -> None:
    whole, num_tokens, num_chunks = Batch(), 4096, 4
    whole.add_prefill(make_sequence(num_tokens), num_tokens)
    chunks_s = 0.0
    for number in range(num_chunks):
        chunk, sequence = Batch(), make_sequence(num_tokens)
        sequence.num_computed_tokens = number * num_tokens // num_chunks
        chunk.add_prefill(sequence, num_tokens // num_chunks)
        chunks_s += attention().seconds(chunk)
    assert chunks_s == pytest.approx(attention().seconds(whole), rel=0.05)


def test_heads_are_divided_between_gpus() -> None:
    alone, shared = attention(), attention(tensor_parallel_size=4)
    assert 3.5 < alone.decode_s(10**6) / shared.decode_s(10**6) <= 4
    assert 3.5 < alone.prefill_s(10**8, 10**4) / shared.prefill_s(10**8, 10**4) <= 4
