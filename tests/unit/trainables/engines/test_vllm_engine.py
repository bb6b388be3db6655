import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.errors import EngineError
from scoot_ray.core.sections import EngineSection
from tests.processes import wait_for_number
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study, write_model
from trainables.backend import BACKENDS
from trainables.engines import gpu_memory
from trainables.engines.installed import InstalledEngine
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm, bundle_slots, flag, threads_bind
from trainables.spaces import make_deployment, make_space

INSTALLED = InstalledEngine("vLLM", "0.32.0", frozenset({"max_num_seqs", "block_size"}))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_num_seqs", 512, ["--max-num-seqs", "512"]),
        ("gpu_memory_utilization", 0.9, ["--gpu-memory-utilization", "0.9"]),
        ("performance_mode", "balanced", ["--performance-mode", "balanced"]),
        ("enable_chunked_prefill", True, ["--enable-chunked-prefill"]),
        ("enable_chunked_prefill", False, ["--no-enable-chunked-prefill"]),
        ("async_scheduling", False, ["--no-async-scheduling"]),
        ("enforce_eager", True, ["--enforce-eager"]),
        ("enforce_eager", False, []),
        ("disable_custom_all_reduce", False, []),
        ("block_size", None, []),
    ],
)
def test_flags(name: str, value: Any, expected: list[str]) -> None:
    assert flag(name, value) == expected


def test_the_launch_command_holds_no_secret() -> None:
    engine = EngineSection(
        kind="vllm",
        model="m",
        python="py",
        fixed={"max_model_len": 4096, "max_num_seqs": 1},
        env={"HF_TOKEN": "hf_x", "VLLM_API_KEY": "k", "VLLM_CPU_KVCACHE_SPACE": "2"},
    )
    command = Vllm().launch_command(engine, {"max_num_seqs": 64})
    assert command.env == {"VLLM_CPU_KVCACHE_SPACE": "2"}
    assert command.argv[:3] == ("py", "-m", "vllm.entrypoints.openai.api_server")
    assert command.argv[3:] == ("--model", "m", "--max-model-len", "4096", "--max-num-seqs", "64")


@pytest.mark.parametrize(
    ("cores", "num_gpus", "num_ranks", "expected"),
    [
        ([0, 1], 2, 1, "0"),
        ([0, 1], 2, 2, "0|1"),
        ([0, 1], 1, 1, "0,1"),
        ([0, 1, 2, 3], 2, 2, "0,1|2,3"),
        ([4, 5], 4, 4, "4|5|4|5"),
    ],
)
def test_each_rank_gets_its_share_of_the_cores(
    cores: list[int], num_gpus: int, num_ranks: int, expected: str
) -> None:
    assert threads_bind(cores, num_gpus, range(num_ranks)) == expected


def test_trials_side_by_side_do_not_share_cores() -> None:
    first, second = bundle_slots(1, "0"), bundle_slots(1, "1")
    assert threads_bind([4, 5], 2, first) == "4"
    assert threads_bind([4, 5], 2, second) == "5"


@pytest.mark.parametrize("visible", ["", "0", "GPU-1a2b,GPU-3c4d"])
def test_outside_of_ray_a_trial_holds_the_first_slots(visible: str) -> None:
    assert bundle_slots(2, visible) == [0, 1]


def test_known_parameters_pass() -> None:
    INSTALLED.require_known(["max_num_seqs", "block_size"])


def test_an_unknown_parameter_is_named_with_the_version_and_a_guess() -> None:
    with pytest.raises(EngineError, match=r"0\.32\.0 .*max_num_seq .did you mean max_num_seqs"):
        INSTALLED.require_known(["max_num_seq"])


def test_a_missing_interpreter_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"Cannot run .*Set engine\.python"):
        Vllm().installed(str(tmp_path / "nothing"))


def test_an_interpreter_without_vllm_says_what_to_do() -> None:
    with pytest.raises(EngineError, match=r"No module named 'vllm'.*Set engine\.python"):
        Vllm().installed(sys.executable)


def test_the_installed_engine_is_asked_for_its_arguments(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\necho 'INFO chatter'\n"
        """echo '{"version": "0.1", "parameters": ["block_size"]}'\n"""
    )
    program.chmod(0o755)
    installed = Vllm().installed(str(program))
    assert installed == InstalledEngine("vLLM", "0.1", frozenset({"block_size"}))


async def test_start_and_stop_leave_nothing(tmp_path: Path) -> None:
    study = served_study(write_interpreter(tmp_path), model=f"model-{tmp_path.name}")
    engine = EngineServer(Vllm(), study, tmp_path)
    endpoint = await engine.start({})
    assert endpoint.socket is not None
    async with asyncio.timeout(120):
        await endpoint.wait_until_healthy()
    assert endpoint.socket.parent.stat().st_mode & 0o077 == 0
    await engine.stop()
    assert wait_for_number(study.engine.model, 0, 0.0) == []
    assert not endpoint.socket.parent.exists()
    await engine.stop()


async def test_memory_on_a_gpu_that_the_engine_does_not_use_is_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    watched: list[str] = []

    def used_bytes(devices: str) -> dict[str, int]:
        watched.append(devices)
        return {}

    monkeypatch.setattr(gpu_memory, "used_bytes", used_bytes)
    engine = EngineServer(Vllm(), served_study(write_interpreter(tmp_path)), tmp_path)
    await engine.start({"tensor_parallel_size": 2})
    await engine.stop()
    assert set(watched) == {"0,1"}


async def test_a_server_that_has_lost_a_worker_is_not_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'Worker proc VllmWorker-1 died unexpectedly'\nsleep 600\n")
    program.chmod(0o755)
    engine = EngineServer(Vllm(), served_study(program), tmp_path)
    await engine.start({})
    async with asyncio.timeout(120):
        assert await engine.wait_exit() is None
    await engine.stop()


async def test_the_engine_gets_a_clean_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/shadow")
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\npwd\nenv\n")
    program.chmod(0o755)
    study = served_study(program, env={"VLLM_NO_USAGE_STATS": "0", "HF_TOKEN": "t"})
    engine = EngineServer(Vllm(), study, tmp_path)
    await engine.start({"tensor_parallel_size": 1})
    assert await engine.wait_exit() == 0
    await engine.stop()
    folder, *lines = engine.log.read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if "=" in line)
    assert Path(folder) == tmp_path
    assert "PYTHONPATH" not in env
    assert env["DO_NOT_TRACK"] == "1"
    assert env["VLLM_NO_USAGE_STATS"] == "0"
    assert env["HF_TOKEN"] == "t"
    assert env["VLLM_CPU_OMP_THREADS_BIND"].startswith(str(min(os.sched_getaffinity(0))))


def test_a_model_that_the_simulator_cannot_be_told_of_is_tuned_all_the_same(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "kv_lora_rank": 512}))
    study = served_study(write_interpreter(tmp_path), model=str(path.parent))
    assert make_deployment(study).model is None
    space = make_space(study)
    assert space.default["tensor_parallel_size"] == 1
    assert "vLLM" in BACKENDS["vllm"].check(study, space)
