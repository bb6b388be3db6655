from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoot_ray.core.request import Request
from trainables.prompts import PromptMaker, ordinary_tokens

VOCAB_SIZE = 512


def maker_of(vocab_size: int, seed: int) -> PromptMaker:
    return PromptMaker(ordinary_tokens(vocab_size), seed)


def request(prompt_tokens: int, hashes: tuple[int, ...] = (), block_tokens: int = 4) -> Request:
    return Request(0.0, prompt_tokens, 1, prefix_hashes=hashes, block_tokens=block_tokens)


def shared(a: list[int], b: list[int]) -> int:
    """Count the leading tokens that agree."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))))


@given(
    prompt_tokens=st.integers(1, 200),
    hashes=st.lists(st.integers(-(2**63), 2**64 - 1), max_size=10),
    vocab_size=st.integers(2, 200_000),
    seed=st.integers(0, 2**32),
)
def test_length_and_vocabulary(
    prompt_tokens: int, hashes: list[int], vocab_size: int, seed: int
) -> None:
    prompt = maker_of(vocab_size, seed).make(request(prompt_tokens, tuple(hashes)))
    assert len(prompt) == prompt_tokens
    assert all(0 <= token < vocab_size for token in prompt)


def test_the_same_seed_gives_the_same_prompts() -> None:
    a, b = maker_of(VOCAB_SIZE, 3), maker_of(VOCAB_SIZE, 3)
    asked = [request(50), request(50, (1, 2))]
    assert [a.make(r) for r in asked] == [b.make(r) for r in asked]


@pytest.mark.parametrize("other_seed", [3, 4])
def test_prompts_share_exactly_the_blocks_that_agree(other_seed: int) -> None:
    maker = maker_of(100_000, other_seed)
    first = maker.make(request(40, (1, 2, 3)))
    second = maker.make(request(40, (1, 2, 9)))
    assert shared(first, second) == 8


def test_requests_without_hashes_share_nothing() -> None:
    maker = maker_of(100_000, 0)
    assert shared(maker.make(request(40)), maker.make(request(40))) == 0


def test_a_partial_last_block_is_a_prefix_of_the_whole_one() -> None:
    maker = maker_of(100_000, 0)
    assert maker.make(request(8, (1, 2)))[:6] == maker.make(request(6, (1, 2)))


def test_another_seed_gives_other_blocks() -> None:
    a, b = (maker_of(100_000, seed).make(request(8, (1, 2))) for seed in (0, 1))
    assert shared(a, b) == 0


def test_special_tokens_are_avoided() -> None:
    prompt = maker_of(VOCAB_SIZE, 0).make(request(2000))
    assert min(prompt) >= 100
