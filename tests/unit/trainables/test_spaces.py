"""The search space of a study: base spaces, what fixes and removes parameters, and every error."""

import pickle
from typing import Any

import pytest

from scoot_ray.core.errors import ClusterError, SpaceError, StudyError
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    FloatParameter,
    IntegerParameter,
    SearchSpace,
)
from scoot_ray.core.study import Study, parse_study
from trainables.spaces import make_space


def study(
    space: Any = "vllm-v1",
    fixed: dict[str, Any] | None = None,
    model: str = "meta-llama/Llama-2-7b-hf",
    num_gpus: int = 4,
    accelerator: str = "A100-80GB",
) -> Study:
    return parse_study(
        {
            "name": "s",
            "engine": {
                "kind": "simulated",
                "model": model,
                "fixed": {"max_model_len": 4096} if fixed is None else fixed,
            },
            "service": {"num_gpus": num_gpus, "accelerator": accelerator},
            "workload": {"trace": "synthetic:bot", "request_rate_rps": 1},
            "space": space,
        }
    )


def v1(**changes: Any) -> SearchSpace:
    return make_space(study({"base": "vllm-v1", **changes}))


def test_v0_is_the_paper_s_space() -> None:
    space = make_space(study("vllm-v0"))
    assert space.names == (
        "tensor_parallel_size",
        "max_num_seqs",
        "max_num_batched_tokens",
        "block_size",
        "scheduler_delay_factor",
        "enable_chunked_prefill",
        "enable_prefix_caching",
        "disable_custom_all_reduce",
        "use_v2_block_manager",
    )
    assert space["tensor_parallel_size"] == IntegerParameter("tensor_parallel_size", 1, 4, True)
    assert space["block_size"] == ChoiceParameter("block_size", (8, 16, 32))
    assert space["scheduler_delay_factor"] == FloatParameter("scheduler_delay_factor", 0.0, 2.0)
    assert space.default["max_num_batched_tokens"] == 4096
    assert space.default["max_num_seqs"] == 256


def test_v0_forbids_chunked_prefill_with_prefix_caching() -> None:
    space = make_space(study("vllm-v0"))
    both = {**space.default, "enable_chunked_prefill": True, "enable_prefix_caching": True}
    assert [c.name for c in space.violated(both)] == ["chunked_prefill_excludes_prefix_caching"]
    assert space.is_valid({**both, "enable_prefix_caching": False})


def test_v0_with_chunked_prefill_fixed_defaults_to_512_tokens() -> None:
    fixed = {"max_model_len": 4096, "enable_chunked_prefill": True}
    space = make_space(study("vllm-v0", fixed))
    assert space.default["max_num_batched_tokens"] == 512
    assert not space.is_valid({**space.default, "enable_prefix_caching": True})


@pytest.mark.parametrize(
    ("accelerator", "num_seqs", "num_tokens"),
    [
        ("A100-80GB", 256, 2048),
        ("L40S", 256, 2048),
        ("H100", 1024, 8192),
        ("H200", 1024, 8192),
        ("B200", 1024, 16384),
        ("MI300X", 1024, 16384),
        ("something new", 256, 2048),
    ],
)
def test_v1_defaults_follow_the_accelerator_as_vllm_does(
    accelerator: str, num_seqs: int, num_tokens: int
) -> None:
    space = make_space(study(accelerator=accelerator))
    assert space.default["max_num_seqs"] == num_seqs
    assert space.default["max_num_batched_tokens"] == num_tokens
    assert space.default["enable_chunked_prefill"] is True
    assert space.default["enable_prefix_caching"] is True
    assert space.default["async_scheduling"] is True
    assert space.default["gpu_memory_utilization"] == 0.92


def test_v1_leaves_out_what_a_cpu_ignores() -> None:
    model = "Qwen/Qwen2.5-0.5B"
    space = make_space(
        study(accelerator="CPU", model=model, num_gpus=1, fixed={"max_model_len": 512})
    )
    assert not {"async_scheduling", "disable_custom_all_reduce"} & set(space.names)
    assert space.default["block_size"] == 128
    assert space.default["max_num_seqs"] == 128


def test_v1_knows_that_unchunked_prompts_need_a_large_batch() -> None:
    space = v1()
    unchunked = {**space.default, "enable_chunked_prefill": False}
    assert not space.is_valid(unchunked)
    assert space.is_valid({**unchunked, "max_num_batched_tokens": 4096})
    assert not space.is_valid({**space.default, "max_num_seqs": 2049})


def test_a_long_context_widens_the_batch_so_that_unchunked_prompts_can_fit() -> None:
    space = make_space(study("vllm-v0", {"max_model_len": 16384}, model="Qwen/Qwen2.5-7B"))
    assert space.default["max_num_batched_tokens"] == 16384


def test_tensor_parallel_size_starts_where_the_model_fits_and_divides_its_heads() -> None:
    large = make_space(study(model="meta-llama/Llama-2-70b-hf", fixed={}))
    assert large.default["tensor_parallel_size"] == 2
    assert large["tensor_parallel_size"] == IntegerParameter("tensor_parallel_size", 2, 4, True)
    eight = make_space(study(model="Qwen/Qwen2.5-7B", num_gpus=8))  # 28 heads
    config = {**eight.default, "tensor_parallel_size": 8}
    assert [c.name for c in eight.violated(config)] == ["tensor_parallel_size_divides_heads"]


def test_a_model_that_fits_nowhere_is_a_cluster_error() -> None:
    with pytest.raises(ClusterError, match="does not fit"):
        make_space(study(model="meta-llama/Llama-2-70b-hf", num_gpus=1))


def test_an_unknown_model_needs_max_model_len() -> None:
    with pytest.raises(StudyError, match=r"engine\.fixed\.max_model_len"):
        make_space(study(model="my/model", fixed={}))
    assert make_space(study(model="my/model")).default["tensor_parallel_size"] == 1


def test_a_fixed_parameter_is_not_tuned_and_constraints_use_its_value() -> None:
    fixed = {"max_model_len": 4096, "max_num_seqs": 1024, "enable_chunked_prefill": False}
    space = make_space(study(fixed=fixed))
    assert not {"max_num_seqs", "enable_chunked_prefill"} & set(space.names)
    assert space.default["max_num_batched_tokens"] == 4096
    names = [c.name for c in space.violated({**space.default, "max_num_batched_tokens": 1000})]
    assert names == ["batched_tokens_cover_seqs", "batched_tokens_cover_longest_prompt"]


def test_a_removed_parameter_stays_at_what_the_engine_gives_it() -> None:
    space = v1(remove=["max_num_seqs", "enforce_eager"])
    assert "max_num_seqs" not in space.names
    # vLLM lowers its own max_num_seqs to the tokens of a step.
    assert space.is_valid({**space.default, "max_num_batched_tokens": 64})


def test_predicates_can_be_pickled() -> None:
    for base in ("vllm-v0", "vllm-v1"):
        space = pickle.loads(pickle.dumps(make_space(study(base))))
        assert space.is_valid(space.default)
        assert not space.is_valid({**space.default, "max_num_seqs": 8192})


def test_parameters_are_narrowed_and_added() -> None:
    space = v1(
        parameters={
            "max_num_seqs": {"high": 512},
            "block_size": {"values": [16, 32]},
            "tensor_parallel_size": {"low": 2},
            "gpu_memory_utilization": {"low": 0.9},
            "stream_interval": {"low": 1, "high": 16, "log2": True},
            "watermark": {"low": 0.0, "high": 0.5},
            "my_flag": {"values": [True, False]},
            "policy": {"values": ["fcfs", "priority"]},
        },
        default={
            "tensor_parallel_size": 2,
            "stream_interval": 1,
            "watermark": 0.0,
            "my_flag": False,
            "policy": "fcfs",
        },
    )
    assert space["max_num_seqs"] == IntegerParameter("max_num_seqs", 64, 512)
    assert space["block_size"] == ChoiceParameter("block_size", (16, 32))
    assert space["tensor_parallel_size"] == IntegerParameter("tensor_parallel_size", 2, 4, True)
    assert space["gpu_memory_utilization"] == FloatParameter("gpu_memory_utilization", 0.9, 0.95)
    assert space["stream_interval"] == IntegerParameter("stream_interval", 1, 16, True)
    assert space["watermark"] == FloatParameter("watermark", 0.0, 0.5)
    assert space["my_flag"] == BooleanParameter("my_flag")
    assert space["policy"] == ChoiceParameter("policy", ("fcfs", "priority"))
    assert space.default["tensor_parallel_size"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": "vllm-v2"}, r"space\.base.*Did you mean vllm-v"),
        ({"remove": ["max_num_seq"]}, r"space\.remove.*Did you mean max_num_seqs"),
        ({"default": {"max_num_seq": 3}}, r"space\.default\.max_num_seq.*Did you mean"),
        (
            {"parameters": {"max_num_seq": {"low": 1, "high": 2}}},
            r"space\.parameters\.max_num_seq .*Did you mean max_num_seqs.*space\.default",
        ),
        (
            {"parameters": {"max_num_seqs": {"low": 512}}},
            r"space\.parameters\.max_num_seqs: the engine's default 256.*space\.default",
        ),
        ({"parameters": {"max_num_seqs": {"low": 1.5}}}, r"max_num_seqs: expected whole numbers"),
        ({"parameters": {"max_num_seqs": {"low": 90, "high": 80}}}, "expected low <= high"),
        ({"parameters": {"enforce_eager": {"low": 0}}}, r"enforce_eager: .*write `values:`"),
        ({"parameters": {"enforce_eager": {"values": [1]}}}, r"enforce_eager\.values: expected"),
        ({"parameters": {"max_num_seqs": {"values": ["a"]}}}, r"max_num_seqs\.values: expected"),
        ({"parameters": {"tensor_parallel_size": {"high": 8}}}, "the service owns 4 GPUs"),
        (
            {"parameters": {"gpu_memory_utilization": {"low": 0.5, "log2": True}}},
            r"gpu_memory_utilization\.log2",
        ),
        (
            {"parameters": {"new": {"low": 1}}, "default": {"new": 1}},
            r"space\.parameters\.new: write both",
        ),
        ({"default": {"max_num_seqs": 3}}, r"space\.default\.max_num_seqs: expected .*, got 3"),
        ({"remove": ["block_size"], "default": {"block_size": 16}}, "block_size is removed and"),
        ({"default": {"max_model_len": 5}}, r"space\.default\.max_model_len: .*engine\.fixed"),
    ],
)
def test_errors_name_the_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        v1(**changes)


def test_a_fixed_value_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(SpaceError, match=r"engine\.fixed\.max_num_seqs: expected a number"):
        make_space(study(fixed={"max_model_len": 4096, "max_num_seqs": "many"}))
    with pytest.raises(SpaceError, match=r"engine\.fixed\.enforce_eager: expected true or false"):
        make_space(study(fixed={"max_model_len": 4096, "enforce_eager": 1}))


def test_tensor_parallel_size_cannot_be_left_to_an_engine_that_would_not_fit() -> None:
    space = {"base": "vllm-v1", "remove": ["tensor_parallel_size"]}
    with pytest.raises(SpaceError, match=r"engine\.fixed\.tensor_parallel_size"):
        make_space(study(space, model="meta-llama/Llama-2-70b-hf"))
