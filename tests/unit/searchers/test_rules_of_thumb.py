from dataclasses import replace

import pytest

from scoot_ray.core.objective import Objective
from scoot_ray.core.space import BooleanParameter, ChoiceParameter, IntegerParameter, SearchSpace
from scoot_ray.core.study import parse_study
from searchers import make_optimizer
from searchers.rules_of_thumb import RULES, follow, rules_of_thumb
from tests.unit.searchers.spaces import ONE_FLOAT, VLLM
from trainables.spaces import make_space


def changes(space: SearchSpace) -> list[dict[str, object]]:
    """Return what each rule sets beside the default."""
    return [
        {name: value for name, value in config.items() if value != space.default[name]}
        for config in rules_of_thumb(space)
    ]


def test_where_two_switches_exclude_each_other_both_are_tried() -> None:
    cached = {"enable_prefix_caching": True, "max_num_batched_tokens": 8192}
    assert changes(VLLM) == [
        {"tensor_parallel_size": 4, **cached},
        cached,
        {"enable_chunked_prefill": True, "max_num_batched_tokens": 1024},
    ]


def test_a_narrow_range_is_followed_to_its_end() -> None:
    tokens = IntegerParameter("max_num_batched_tokens", 256, 2048)
    space = SearchSpace([tokens], {"max_num_batched_tokens": 512})
    assert changes(space) == [{"max_num_batched_tokens": 2048}, {"max_num_batched_tokens": 1024}]


def test_listed_values_are_followed_where_they_are_numbers() -> None:
    sizes = ChoiceParameter("tensor_parallel_size", (2, 4))
    chunks = ChoiceParameter("enable_chunked_prefill", ("auto", "on", "off"))
    space = SearchSpace(
        [sizes, chunks], {"tensor_parallel_size": 2, "enable_chunked_prefill": "on"}
    )
    assert changes(space) == [{"tensor_parallel_size": 4}]


def test_nothing_is_advised_on_a_space_of_other_parameters() -> None:
    space = SearchSpace([BooleanParameter("x")], {"x": True})
    assert rules_of_thumb(space) == rules_of_thumb(ONE_FLOAT) == ()


@pytest.mark.parametrize("base", ["vllm-v0", "vllm-v1", "sglang", "tensorrt_llm"])
def test_every_engine_is_advised(base: str) -> None:
    study = parse_study(
        {
            "name": "advised",
            "engine": {"kind": base.split("-")[0], "model": "meta-llama/Llama-2-7b-hf"},
            "service": {"num_gpus": 4, "accelerator": "A100-80GB"},
            "workload": {"trace": "synthetic:bot", "request_rate_rps": 1},
            "objective": "interactive",
            "space": base,
        },
        "study",
    )
    space = make_space(study)
    advised = rules_of_thumb(space)
    assert 2 <= len(advised) <= len(RULES)
    for config in advised:
        space.validate(config)


def test_the_search_tries_them_right_after_the_default() -> None:
    optimizer = make_optimizer("scoot", VLLM, [Objective("throughput_rps", "max")], seed=0)
    first = optimizer.suggest([], [], 4)
    assert first == [VLLM.default, *(follow(VLLM, rule) for rule in RULES)]


def test_one_gpu_leaves_no_choice_of_replicas() -> None:
    narrow = replace_parameter(VLLM, IntegerParameter("tensor_parallel_size", 1, 1))
    assert all(config["tensor_parallel_size"] == 1 for config in rules_of_thumb(narrow))


def replace_parameter(space: SearchSpace, parameter: IntegerParameter) -> SearchSpace:
    """Return the space with one parameter put in the place of its namesake."""
    parameters = [parameter if p.name == parameter.name else p for p in space.parameters]
    return replace(space, parameters=tuple(parameters))
