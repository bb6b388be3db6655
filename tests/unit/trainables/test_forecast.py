"""What `scoot check` foretells: which sizes fit, and how long it will take."""

from typing import Any

import pytest

from cluster.placement import Placement
from cluster.preflight import Capacity, Node
from scoot_ray.core.study import Study, parse_study
from scoot_ray.plan import Plan
from scoot_ray.preflight import describe_duration
from tests.integration.studies import STUDY
from trainables.backend import BACKENDS
from trainables.forecast import describe_memory, estimate_trial_s
from trainables.spaces import make_space


def study_of(kind: str = "vllm", **engine: Any) -> Study:
    data = {**STUDY, "engine": {**STUDY["engine"], "kind": kind, **engine}}
    return parse_study({**data, "workload": {**STUDY["workload"], "duration_s": 100}})


def memory_of(study: Study) -> list[str]:
    return describe_memory(study, make_space(study)).split("; ")


def test_every_size_is_looked_at_whether_it_fits_or_not() -> None:
    sizes = memory_of(study_of(model="meta-llama/Llama-2-70b-hf"))
    assert [text.split(":")[0] for text in sizes] == ["1 GPU", "2 GPUs", "4 GPUs"]
    assert "does not fit (out_of_memory)" in sizes[0]
    assert "32.1 GiB of weights each" in sizes[2]
    assert "tokens" in sizes[2]


def test_a_model_that_nobody_knows_is_said_not_to_be_estimated(tmp_path: Any) -> None:
    study = study_of(model=str(tmp_path))
    assert memory_of(study)[0].startswith("not estimated: ")
    assert estimate_trial_s(study, make_space(study)) > 120 + 100


@pytest.mark.parametrize(
    ("kind", "fixed", "name"),
    [
        ("sglang", {"context_length": 4096}, "SGLang"),
        ("tensorrt_llm", {"max_seq_len": 4096}, "TensorRT-LLM"),
    ],
)
def test_of_an_engine_without_a_twin_the_weights_are_told(
    kind: str, fixed: dict[str, Any], name: str
) -> None:
    sizes = memory_of(study_of(kind, model="meta-llama/Llama-2-70b-hf", fixed=fixed))
    assert sizes[0] == "1 GPU: does not fit: 128.5 GiB of weights each, of 80 GiB"
    assert sizes[2] == "4 GPUs: 32.1 GiB of weights each, of 80 GiB"
    assert sizes[3].startswith(f"{name} is not simulated")


def test_flags_that_the_simulator_does_not_know_are_left_out_and_named() -> None:
    plain = study_of(fixed={"max_model_len": 4096})
    fixed = {"max_model_len": 4096, "kv_cache_dtype": "fp8", "load_format": "auto"}
    study = study_of(fixed=fixed)
    assert memory_of(study) == [*memory_of(plain), "estimated without kv_cache_dtype"]
    assert estimate_trial_s(study, make_space(study)) == estimate_trial_s(plain, make_space(plain))


def test_a_trial_takes_its_start_its_load_and_its_stop() -> None:
    study = study_of()
    eager = study_of(fixed={"max_model_len": 4096, "enforce_eager": True})
    seconds = [estimate_trial_s(each, make_space(each)) for each in (study, eager)]
    assert 100 < seconds[1] < seconds[0] < 400
    simulated = study_of("simulated")
    assert BACKENDS["simulated"].trial_s(simulated, make_space(simulated)) < 5


def test_the_duration_follows_from_what_runs_at_once() -> None:
    plan = Plan.of(study_of("simulated"))  # sizes 1, 2, 4; parallelism 4
    alone = Capacity((Node(4, 1),), Placement())
    roomy = Capacity((Node(16, 64),), Placement())
    minutes = plan.num_trials * 90 / 60
    assert f"about {minutes:.3g} min: at most {plan.num_trials} trials of about 90 s, 1 at" in (
        describe_duration(plan, alone, 90)
    )
    assert describe_duration(plan, roomy, 90).endswith("4 at once on average")
