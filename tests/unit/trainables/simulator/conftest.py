"""The setting that most simulator tests share: Llama-2-7b on one A100 with 80 GB."""

from collections.abc import Callable
from typing import Any

import pytest

from scoot_ray.core.request import Request
from trainables.hardware import Accelerator, find_accelerator
from trainables.model import ModelShape, load_model_shape
from trainables.simulator.sequence import Sequence


@pytest.fixture
def model() -> ModelShape:
    return load_model_shape("meta-llama/Llama-2-7b-hf")


@pytest.fixture
def accelerator() -> Accelerator:
    return find_accelerator("A100-80GB")


@pytest.fixture
def make_sequence() -> Callable[..., Sequence]:
    """Make numbered sequences from prompt tokens, output tokens and request fields."""
    numbers = iter(range(1, 1000))

    def make(prompt_tokens: int, output_tokens: int = 1, **fields: Any) -> Sequence:
        return Sequence(next(numbers), Request(0.0, prompt_tokens, output_tokens, **fields))

    return make
