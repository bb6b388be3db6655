from typing import Any

import pytest

from scoot_ray.core.errors import EngineError
from trainables.model import ModelShape
from trainables.simulator.config import EngineConfig


def test_the_token_budget_depends_on_chunked_prefill(model: ModelShape) -> None:
    assert EngineConfig.resolve({}, model).max_num_batched_tokens == 2048
    whole = EngineConfig.resolve({"enable_chunked_prefill": False}, model)
    assert whole.max_num_batched_tokens == model.max_model_len


def test_flags_without_effect_pass_and_unknown_ones_do_not(model: ModelShape) -> None:
    assert EngineConfig.resolve({"dtype": "float16", "seed": 1}, model).block_size == 16
    with pytest.raises(EngineError, match=r"Did you mean max_num_seqs\?"):
        EngineConfig.resolve({"max_num_sequences": 8}, model)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"max_num_seqs": 4096}, "must be greater than or equal to max_num_seqs"),
        (
            {"enable_chunked_prefill": False, "max_num_batched_tokens": 1024},
            "is smaller than max_model_len",
        ),
        ({"max_model_len": 8192}, "is greater than the derived max_model_len"),
        ({"tensor_parallel_size": 3}, "must be divisible by tensor parallel size"),
    ],
)
def test_the_engine_refuses_what_vllm_refuses(
    model: ModelShape, config: dict[str, Any], complaint: str
) -> None:
    assert complaint in (EngineConfig.resolve(config, model).complaint(model) or "")


def test_the_defaults_are_accepted(model: ModelShape) -> None:
    assert EngineConfig.resolve({}, model).complaint(model) is None
