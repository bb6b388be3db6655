import json
from pathlib import Path

import pytest

from scoot_ray.core.errors import StudyError
from trainables.model import (
    SIBLINGS,
    known_models,
    load_model_shape,
    read_vocab_size,
    vocab_size_of,
)

LLAMA_2_7B = {
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "intermediate_size": 11008,
    "vocab_size": 32000,
    "max_position_embeddings": 4096,
}


# The exact counts that the models' own repositories state.
@pytest.mark.parametrize(
    ("name", "num_parameters"),
    [
        ("meta-llama/Llama-2-7b-hf", 6_738_415_616),
        ("meta-llama/Llama-2-13b-hf", 13_015_864_320),
        ("meta-llama/Meta-Llama-3-8B", 8_030_261_248),
        ("meta-llama/Llama-3.2-1B", 1_235_814_400),
        ("meta-llama/Llama-3.2-3B", 3_212_749_824),
        ("mistralai/Mistral-Nemo-Base-2407", 12_247_782_400),
        ("Qwen/Qwen2.5-7B", 7_615_616_512),
        ("Qwen/Qwen2.5-0.5B", 494_032_768),
        ("mistralai/Mixtral-8x7B-v0.1", 46_702_792_704),
    ],
)
def test_parameters_are_counted_exactly(name: str, num_parameters: int) -> None:
    assert load_model_shape(name).num_parameters == num_parameters


# The sizes in the models' names and cards; without the norms of Qwen3's queries and keys.
@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("Qwen/Qwen2.5-14B", 14.7),
        ("Qwen/Qwen2.5-32B", 32.5),
        ("Qwen/Qwen2.5-72B-Instruct", 72.7),
        ("Qwen/Qwen3-8B", 8.2),
        ("Qwen/Qwen3-14B", 14.8),
        ("Qwen/Qwen3-32B", 32.8),
        ("Qwen/Qwen3-30B-A3B", 30.5),
    ],
)
def test_parameters_are_those_of_the_model_card(name: str, billions: float) -> None:
    assert load_model_shape(name).num_parameters == pytest.approx(billions * 1e9, rel=0.01)


def test_every_known_name_loads_and_a_sibling_has_the_same_weights() -> None:
    assert all(load_model_shape(name).num_layers > 0 for name in known_models())
    for sibling, base in SIBLINGS.items():
        assert load_model_shape(sibling).weight_bytes == load_model_shape(base).weight_bytes


def test_kv_bytes_follow_grouped_query_attention() -> None:
    # 2 (keys, values) x 32 layers x 32 heads x 128 x 2 bytes = 512 KiB; a quarter with 8 heads.
    assert load_model_shape("meta-llama/Llama-2-7b-hf").kv_bytes_per_token == 512 * 1024
    assert load_model_shape("meta-llama/Meta-Llama-3-8B").kv_bytes_per_token == 128 * 1024


def test_heads_must_divide() -> None:
    qwen = load_model_shape("Qwen/Qwen2.5-7B")  # 28 heads, 4 KV heads
    assert [t for t in (1, 2, 4, 7, 8) if qwen.fits_tensor_parallel(t)] == [1, 2, 4]


def test_a_folder_or_a_file_loads_as_the_known_name_does(tmp_path: Path) -> None:
    known = load_model_shape("meta-llama/Llama-2-7b-hf")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA_2_7B))
    for source in (tmp_path, path, str(tmp_path)):
        assert load_model_shape(source).num_parameters == known.num_parameters


def test_an_unknown_name_is_told_what_works() -> None:
    with pytest.raises(StudyError, match=r"config\.json.*Llama-2-7b-hf"):
        load_model_shape("nobody/knows-this")


@pytest.mark.parametrize("text", ["{}", "[]", "not json"])
def test_a_config_without_sizes_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(StudyError, match="config"):
        load_model_shape(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kv_lora_rank", 512),
        ("n_shared_experts", 2),
        ("shared_expert_intermediate_size", 5632),
        ("first_k_dense_replace", 1),
        ("mlp_only_layers", [0]),
        ("quantization_config", {"quant_method": "awq"}),
    ],
)
def test_what_is_not_modelled_is_named_and_its_vocabulary_is_known(
    tmp_path: Path, key: str, value: object
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**LLAMA_2_7B, "vocab_size": 102_400, key: value}))
    with pytest.raises(StudyError, match=f"config.json has {key}, and .* cannot be modelled"):
        load_model_shape(path)
    assert read_vocab_size(str(path)) == vocab_size_of(str(path)) == 102_400
    path.write_text(json.dumps({**LLAMA_2_7B, key: type(value)()}))
    assert load_model_shape(path).num_experts == 1  # an empty value changes nothing


@pytest.mark.parametrize("key", ["num_local_experts", "num_experts", "n_routed_experts"])
def test_experts_are_counted_under_each_of_their_names(tmp_path: Path, key: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**LLAMA_2_7B, key: 64, "num_experts_per_tok": 6}))
    assert load_model_shape(path).num_experts == 64


def test_a_vocabulary_that_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(StudyError, match="no whole number for vocab_size"):
        read_vocab_size(str(tmp_path))
    assert vocab_size_of(str(tmp_path)) == 32_000
