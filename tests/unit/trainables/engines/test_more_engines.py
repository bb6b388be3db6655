"""SGLang and TensorRT-LLM: what their command lines, files and defaults look like."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.study import Study, parse_study
from tests.stand_in.read_sglang_flags import read_flags
from trainables.engines.address import FIRST_PORT, PORTS_EACH, LoopbackPort, loopback_host
from trainables.engines.sglang import Sglang
from trainables.engines.tensorrt_llm import OPTIONS_FILE, TensorRtLlm, nested
from trainables.spaces import make_space

STAND_IN = Path(__file__).parents[3] / "stand_in"
FLAGS = json.loads((STAND_IN / "sglang_flags.json").read_text())
OPTIONS = json.loads((STAND_IN / "tensorrt_llm_options.json").read_text())["options"]
# What SGLang works out by itself where its own default is None.
WORKED_OUT = {"max_running_requests", "chunked_prefill_size", "page_size", "mem_fraction_static"}


def study_of(kind: str, accelerator: str = "H100", **fixed: Any) -> Study:
    return parse_study(
        {
            "name": "s",
            "engine": {"kind": kind, "model": "meta-llama/Llama-2-7b-hf", "fixed": fixed},
            "service": {"num_gpus": 4, "accelerator": accelerator},
            "workload": {"trace": "synthetic:bot", "request_rate_rps": 1},
        }
    )


def engine_section(kind: Any) -> EngineSection:
    return EngineSection(kind=kind, model="m", python="py", fixed={"trust_remote_code": True})


def test_sglang_gives_one_flag_for_each_parameter() -> None:
    config = {"page_size": 16, "disable_radix_cache": False, "enable_mixed_chunk": True}
    command = Sglang().launch_command(engine_section("sglang"), config)
    assert " ".join(command.argv) == (
        "py -m sglang.launch_server --model-path m --enable-metrics --trust-remote-code "
        "--page-size 16 --enable-mixed-chunk"
    )


def test_sglangs_space_is_made_of_its_own_flags() -> None:
    """Each default is the declared one, or one of those that SGLang works out."""
    aliases = {
        alias: name for name, flag in FLAGS["flags"].items() for alias in flag.get("aliases", ())
    }
    space = make_space(study_of("sglang"))
    for parameter in space.parameters:
        option = f"--{parameter.name.replace('_', '-')}"
        flag = FLAGS["flags"][aliases.get(option, option)]
        if parameter.name in WORKED_OUT:
            assert flag["default"] is None
        else:
            assert space.default[parameter.name] == flag["default"], parameter.name
        for value in getattr(parameter, "values", ()):
            assert value in flag.get("choices", [value])


@pytest.mark.parametrize(
    ("accelerator", "chunk", "fraction"),
    # Kept free of 80 GiB: 512 + 1.5 * 8192 + 128 + 2 * 256 MiB; of 24: 512 + 6144 + 128 + 2 * 48.
    [("H100", 8192, 0.836), ("L4", 4096, 0.72), ("A100-40GB", 4096, 0.833)],
)
def test_sglang_works_out_its_defaults_from_the_memory(
    accelerator: str, chunk: int, fraction: float
) -> None:
    default = make_space(study_of("sglang", accelerator)).default
    assert default["chunked_prefill_size"] == chunk
    assert default["mem_fraction_static"] == pytest.approx(fraction, abs=0.001)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"disable_radix_cache": True, "schedule_policy": "lpm"}, "cache_aware_policy_needs_cache"),
        ({"disable_radix_cache": True, "schedule_policy": "fcfs"}, None),
    ],
)
def test_sglangs_constraints(change: dict[str, Any], broken: str | None) -> None:
    space = make_space(study_of("sglang"))
    config = {**space.default, **change}
    names = [rule.name for rule in space.constraints if not rule.predicate(config)]
    assert names == ([broken] if broken else [])


@pytest.mark.skipif(
    "SCOOT_SGLANG_WHEEL" not in os.environ,
    reason="SCOOT_SGLANG_WHEEL names no wheel: `pip download sglang==0.5.23 --no-deps` fetches it",
)
def test_the_flags_are_those_of_the_wheel() -> None:
    assert read_flags(Path(os.environ["SCOOT_SGLANG_WHEEL"])) == FLAGS


def test_tensorrt_llm_reads_its_options_from_a_file() -> None:
    config = {"max_batch_size": 64, "kv_cache_config.tokens_per_block": 64}
    command = TensorRtLlm().launch_command(engine_section("tensorrt_llm"), config)
    assert " ".join(command.argv) == (
        f"py -m tensorrt_llm.commands.serve serve m --extra_llm_api_options {OPTIONS_FILE}"
    )
    assert yaml.safe_load(command.files[OPTIONS_FILE]) == {
        "trust_remote_code": True,
        "max_batch_size": 64,
        "kv_cache_config": {"tokens_per_block": 64},
    }


def test_dots_become_sections_and_none_is_left_out() -> None:
    assert nested({"a.b": 1, "a.c.d": 2, "e": None}) == {"a": {"b": 1, "c": {"d": 2}}}


def test_tensorrt_llms_space_is_made_of_its_own_options() -> None:
    space = make_space(study_of("tensorrt_llm"))
    for parameter in space.parameters:
        assert space.default[parameter.name] == OPTIONS[parameter.name]["default"], parameter.name


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"max_num_tokens": 1024}, ["num_tokens_cover_batch", "num_tokens_cover_longest_prompt"]),
        ({"max_num_tokens": 2048, "enable_chunked_prefill": True}, []),
    ],
)
def test_tensorrt_llms_constraints(change: dict[str, Any], broken: list[str]) -> None:
    space = make_space(study_of("tensorrt_llm"))
    config = {**space.default, **change}
    assert [rule.name for rule in space.constraints if not rule.predicate(config)] == broken


@pytest.mark.parametrize("kind", ["sglang", "tensorrt_llm"])
def test_a_model_that_does_not_fit_is_told_before_the_study(kind: str) -> None:
    assert make_space(study_of(kind, "L4"))["tensor_parallel_size"].contains(1)
    study = study_of(kind, "L4")
    engine = study.engine.model_copy(update={"model": "meta-llama/Llama-2-13b-hf"})
    space = make_space(study.model_copy(update={"engine": engine}))
    assert not space["tensor_parallel_size"].contains(1)
    assert space.default["tensor_parallel_size"] == 2


def test_addresses_of_processes_and_replicas_differ() -> None:
    hosts = {loopback_host(pid) for pid in range(0, 2**22, 4099)}
    assert len(hosts) == len(range(0, 2**22, 4099))
    assert all(host.startswith("127.") for host in hosts)
    first, second = LoopbackPort(0), LoopbackPort(1)
    host = f"http://{loopback_host(os.getpid())}"
    # Somebody may serve the first of them on all addresses.
    assert first.url in [f"{host}:{FIRST_PORT + n}" for n in range(PORTS_EACH)]
    assert second.url in [f"{host}:{FIRST_PORT + PORTS_EACH + n}" for n in range(PORTS_EACH)]
