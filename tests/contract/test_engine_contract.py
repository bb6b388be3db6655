"""What every engine promises; vLLM's adapter is run on a stand-in server."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import wait_for_number
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study
from trainables.engines.engine import Engine
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm
from trainables.failure import Label

CONFIG = {"tensor_parallel_size": 1, "max_num_seqs": 64}
EngineMaker = Callable[[Path], Engine]


def make_vllm(folder: Path) -> Engine:
    return EngineServer(Vllm(), served_study(write_interpreter(folder), model=str(folder)), folder)


pytestmark = pytest.mark.parametrize("make_engine", [make_vllm])


async def test_start_serve_stop(make_engine: EngineMaker, tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    endpoint = await engine.start(CONFIG)
    async with asyncio.timeout(120):
        await endpoint.wait_until_healthy()
    assert await endpoint.is_healthy()
    await engine.stop()
    assert not await endpoint.is_healthy()
    assert engine.log.exists()
    assert wait_for_number(str(tmp_path), 0, 0.0) == []


async def test_the_end_of_the_process_is_noticed(make_engine: EngineMaker, tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    await engine.start({**CONFIG, "max_num_batched_tokens": 8})  # fewer than sequences: refused
    async with asyncio.timeout(120):
        status = await engine.wait_exit()
    assert status not in (None, 0)
    await engine.stop()


async def test_stop_before_start_and_twice_does_nothing(
    make_engine: EngineMaker, tmp_path: Path
) -> None:
    engine = make_engine(tmp_path)
    await engine.stop()
    await engine.start(CONFIG)
    await engine.stop()
    await engine.stop()


def test_rules_say_whose_fault_a_death_is(make_engine: EngineMaker, tmp_path: Path) -> None:
    rules = make_engine(tmp_path).failure_rules
    assert {rule.label for rule in rules} == set(Label)
    assert {"out_of_memory", "disk_full", "address_in_use"} <= {rule.cause for rule in rules}
