"""What every engine promises; each adapter is run on the stand-in that speaks its flags."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.errors import EngineError
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import Study
from tests.processes import wait_for_number
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study
from trainables.backend import BACKENDS
from trainables.engines.adapter import Adapter
from trainables.engines.server import EngineServer
from trainables.failure import Label
from trainables.spaces import make_space

READY_S = 120.0  # the engine gives way to everything else on the machine


@dataclass(frozen=True)
class Case:
    """An engine with a configuration that it refuses when it starts."""

    kind: str
    refused: dict[str, Any]
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def adapter(self) -> Adapter:
        return BACKENDS[self.kind].adapter

    def study(self, folder: Path) -> Study:
        study = served_study(write_interpreter(folder), model=str(folder))
        fixed = {self.adapter.max_model_len_name: 4096}
        engine = study.engine.model_copy(update={"kind": self.kind, "fixed": fixed})
        return study.model_copy(update={"engine": engine})

    def server(self, folder: Path) -> EngineServer:
        return EngineServer(self.adapter, self.study(folder), folder)


CASES = [
    Case("vllm", {"max_num_seqs": 64, "max_num_batched_tokens": 8}),
    Case("sglang", {"chunked_prefill_size": 1000, "page_size": 64}),
    Case("tensorrt_llm", {"kv_cache_config.free_gpu_memory_fraction": 0.95}),
]
every_engine = pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)


@every_engine
async def test_start_serve_stop(case: Case, tmp_path: Path) -> None:
    engine = case.server(tmp_path)
    default = make_space(case.study(tmp_path)).default
    endpoint = await engine.start({"tensor_parallel_size": default["tensor_parallel_size"]})
    async with asyncio.timeout(READY_S):
        await endpoint.wait_until_healthy()
    assert await endpoint.is_healthy()
    await engine.stop()
    assert not await endpoint.is_healthy()
    assert engine.log.exists()
    assert wait_for_number(str(tmp_path), 0, 0.0) == []


@every_engine
async def test_a_refused_configuration_is_noticed(case: Case, tmp_path: Path) -> None:
    engine = case.server(tmp_path)
    await engine.start(case.refused)
    async with asyncio.timeout(READY_S):
        status = await engine.wait_exit()
    assert status not in (None, 0)
    await engine.stop()


@every_engine
async def test_stop_before_start_and_twice_does_nothing(case: Case, tmp_path: Path) -> None:
    engine = case.server(tmp_path)
    await engine.stop()
    await engine.start({"tensor_parallel_size": 1})
    await engine.stop()
    await engine.stop()


@every_engine
def test_rules_say_whose_fault_a_death_is(case: Case) -> None:
    rules = case.adapter.failure_rules
    assert {rule.label for rule in rules} == set(Label)
    assert {rule.label.state for rule in rules} == {TrialState.INFEASIBLE, TrialState.FAILED}
    assert all(rule.advice.endswith(".") for rule in rules)


@every_engine
def test_the_default_and_every_parameter_are_known_to_the_engine(
    case: Case, tmp_path: Path
) -> None:
    study = case.study(tmp_path)
    space = make_space(study)
    space.validate(space.default)
    known = case.adapter.installed(study.engine.python)
    if case.kind != "vllm":  # whose stand-in has only the flags that tests use
        known.require_known([*space.names, *study.engine.fixed])
    with pytest.raises(EngineError, match="does not know: max_sequences_at_once"):
        known.require_known(["max_sequences_at_once"])


@every_engine
def test_the_launch_command_holds_no_secret(case: Case, tmp_path: Path) -> None:
    study = case.study(tmp_path)
    env = {"HF_TOKEN": "hf_do_not_write_me", "NCCL_DEBUG": "INFO"}
    engine = study.engine.model_copy(update={"env": env})
    command = case.adapter.launch_command(engine, make_space(study).default)
    assert command.env == {"NCCL_DEBUG": "INFO"}
    assert "hf_do_not_write_me" not in f"{command}"
