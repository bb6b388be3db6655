"""The real vLLM, CPU build, under load: one of its processes is killed, and the trial notices."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import TrialState
from tests.integration.test_vllm import PYTHON, model, pytestmark, study_of
from tests.processes import processes_with, until
from tests.unit.trainables.served_studies import small_trace
from traces.workload import make_load
from trainables.clock import WallClock
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm
from trainables.session import Session

__all__ = ["model", "pytestmark"]  # the fixture and the marks of the other file

NOTICED_WITHIN_S = 30.0  # it prints what it measured; a busy machine is slow in everything
LOAD_S = 120.0
START_LIMIT_S = 900.0


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("victim", ["server", "engine core", "worker"])
async def test_the_death_of_one_process_ends_the_trial(
    model: Path,
    tmp_path: Path,
    victim: str,
) -> None:
    study = study_of(model)
    workload = study.workload.model_copy(update={"duration_s": LOAD_S})
    study = study.model_copy(update={"workload": workload})
    load = make_load(small_trace(), workload, share=1, max_model_len=4096, seed=1)
    session = Session(study, EngineServer(Vllm(), study, tmp_path), tmp_path, WallClock())
    running = asyncio.create_task(session.run({"tensor_parallel_size": 2}, load, share=1, seed=1))
    await until(lambda: session.phase is Phase.LOAD or running.done(), START_LIMIT_S)
    assert not running.done(), running.result()
    await asyncio.sleep(2.0)
    family = engine_processes(str(model))
    {"server": family[0], "engine core": family[1], "worker": family[-1]}[victim].kill()
    killed_s = time.monotonic()
    await until(lambda: session.phase is not Phase.LOAD, LOAD_S)
    noticed_s = time.monotonic() - killed_s
    outcome = await running
    _, left = psutil.wait_procs(family, timeout=0)
    print(f"kill -9 of vLLM's {victim}: noticed after {noticed_s:.2f} s; {outcome.failure}")
    assert noticed_s < NOTICED_WITHIN_S
    assert left == []
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.phase is Phase.LOAD


def engine_processes(mark: str) -> list[psutil.Process]:
    """List the server, its engine core and the workers below that."""
    (server,) = [p for p in processes_with(mark) if p.cmdline()[0] == str(PYTHON)]
    (core,) = [child for child in server.children() if child.children()]
    return [server, core, *core.children()]
