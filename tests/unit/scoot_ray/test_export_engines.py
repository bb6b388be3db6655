"""What is exported of other engines than vLLM."""

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoot_ray.core.errors import OutputError
from scoot_ray.core.study import Study
from scoot_ray.export import FOR_VLLM, FORMS, Choice, export
from tests.unit.scoot_ray.export_choices import TOKEN, choice

SGLANG: dict[str, Any] = {"tensor_parallel_size": 2, "page_size": 16, "disable_radix_cache": True}
TENSORRT: dict[str, Any] = {"tensor_parallel_size": 2, "kv_cache_config.tokens_per_block": 64}
NAMES = {"sglang": "SGLang", "tensorrt_llm": "TensorRT-LLM"}
CONFIGS = {"sglang": SGLANG, "tensorrt_llm": TENSORRT}


def choice_of(kind: str) -> Choice:
    found = choice(measured_by=f"{NAMES[kind]} 0.5.23, which knows all 3 flags of the study")
    study: Study = found.study
    engine = study.engine.model_copy(update={"kind": kind, "fixed": {"api_key": TOKEN}})
    recommendation = found.result.recommendation
    assert recommendation is not None
    record = replace(recommendation.record, config=CONFIGS[kind])
    result = replace(found.result, recommendation=replace(recommendation, record=record))
    return replace(found, study=study.model_copy(update={"engine": engine}), result=result)


def test_sglangs_command() -> None:
    line = export(choice_of("sglang"), "command").splitlines()[-1]
    words = shlex.split(line)
    start = words.index("-m")
    assert words[start : start + 2] == ["-m", "sglang.launch_server"]
    assert words[-5:] == [
        "--tensor-parallel-size",
        "2",
        "--page-size",
        "16",
        "--disable-radix-cache",
    ]


def test_tensorrt_llms_command_writes_its_options_first(tmp_path: Path) -> None:
    text = export(choice_of("tensorrt_llm"), "command")
    *lines, command = text.splitlines()
    assert command.endswith("--extra_llm_api_options trtllm_options.yaml")
    subprocess.run(["/bin/sh"], input="\n".join(lines), text=True, cwd=tmp_path, check=True)
    options = yaml.safe_load((tmp_path / "trtllm_options.yaml").read_text())
    assert options == {"tensor_parallel_size": 2, "kv_cache_config": {"tokens_per_block": 64}}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("form", sorted(FOR_VLLM))
def test_forms_for_vllm_refuse_other_engines(kind: str, form: str) -> None:
    with pytest.raises(OutputError, match=f"serves vLLM, and the study tuned {NAMES[kind]}"):
        export(choice_of(kind), form)


@pytest.mark.parametrize("kind", NAMES)
def test_json_names_the_engine_its_version_and_its_files(kind: str) -> None:
    document = json.loads(export(choice_of(kind), "json"))
    assert document["engine"] == {"name": NAMES[kind], "version": "0.5.23"}
    assert set(document["files"]) == ({"trtllm_options.yaml"} if kind == "tensorrt_llm" else set())


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("form", sorted(set(FORMS) - FOR_VLLM))
def test_no_secret_is_written(kind: str, form: str) -> None:
    assert TOKEN not in export(choice_of(kind), form)
