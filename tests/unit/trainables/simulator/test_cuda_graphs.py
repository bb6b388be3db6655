from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.model import load_model_shape
from trainables.simulator.config import EngineConfig
from trainables.simulator.cuda_graphs import capture_sizes, padded

MODEL = load_model_shape("meta-llama/Llama-2-7b-hf")


def resolve(**config: Any) -> EngineConfig:
    return EngineConfig.resolve(config, MODEL)


def test_the_default_sizes_are_those_of_vllm() -> None:
    sizes = capture_sizes(resolve())
    assert sizes == (1, 2, 4, *range(8, 256, 8), *range(256, 513, 16))


@pytest.mark.parametrize(
    ("config", "last_sizes"),
    [
        ({"max_num_seqs": 16}, (24, 32)),
        ({"max_num_seqs": 3}, (3, 4)),
        ({"max_num_seqs": 100}, (192, 200)),
        ({"max_num_seqs": 64, "max_num_batched_tokens": 100}, (96, 100)),
    ],
)
def test_the_largest_size_follows_the_parameters(
    config: dict[str, int], last_sizes: tuple[int, int]
) -> None:
    assert capture_sizes(resolve(**config))[-2:] == last_sizes


def test_a_full_decode_batch_is_captured_off_the_grid() -> None:
    assert 79 in capture_sizes(resolve(max_num_seqs=79))


def test_v0_captures_decodes_up_to_its_sequences_rounded_up() -> None:
    assert capture_sizes(resolve(max_num_seqs=20), covers_prefill=False)[-2:] == (16, 24)
    assert capture_sizes(resolve(max_num_seqs=1000), covers_prefill=False)[-1] == 256


def test_eager_mode_captures_nothing() -> None:
    assert capture_sizes(resolve(enforce_eager=True)) == ()
    assert padded(17, ()) == 17


@given(max_num_seqs=st.integers(1, 1024), num_tokens=st.integers(1, 2048))
def test_padding_takes_the_next_size_or_none(max_num_seqs: int, num_tokens: int) -> None:
    sizes = capture_sizes(resolve(max_num_seqs=max_num_seqs))
    size = padded(num_tokens, sizes)
    assert size == min((s for s in sizes if s >= num_tokens), default=num_tokens)
    assert size - num_tokens < 16
