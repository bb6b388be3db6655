"""An engine that is killed: how soon a trial notices, in which phase, and what it makes of it.

The bound here is loose, because a busy machine is slow in everything; each case prints what it
measured (`pytest -rP`), and a quiet machine stays below a second.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import Outcome, TrialState
from tests.processes import processes_with, until, wait_for_number
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study, small_trace, write_model
from traces.workload import make_load
from trainables.clock import WallClock
from trainables.engines.guarded_process import GUARD
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm
from trainables.phases import READINESS
from trainables.session import Session

pytestmark = pytest.mark.slow

NOTICED_WITHIN_S = 5.0
LIMIT_S = 120.0
SETTLE_S = 0.5
NUM_ENGINE_PROCESSES = 3

# What holds a stand-in in each phase: a start that never ends, then requests without answers.
HELD_IN: dict[Phase, dict[str, str]] = {
    Phase.START: {"STAND_IN_FAULT": "never_ready"},
    Phase.WARM_UP: {"STAND_IN_FAULT": "hang", "STAND_IN_FAULTY_FROM": "0"},
    Phase.LOAD: {},
    Phase.DRAIN: {"STAND_IN_FAULT": "hang", "STAND_IN_FAULTY_FROM": "2"},
}
LOAD_S = {Phase.LOAD: 60.0}


@dataclass
class Victim:
    """A session whose engine is about to be killed; `mark` is on the engine's processes."""

    session: Session
    mark: str

    @property
    def server(self) -> psutil.Process:
        (found,) = [
            p
            for p in processes_with(self.mark)
            if "tests.stand_in_engine" in " ".join(p.cmdline()) and str(GUARD) not in p.cmdline()
        ]
        return found

    @property
    def inner_guard(self) -> psutil.Process:
        found = [p for p in processes_with(self.mark) if str(GUARD) in p.cmdline()]
        return max(found, key=lambda process: process.pid)


BLOWS: dict[str, Callable[[Victim], object]] = {
    "the engine": lambda victim: victim.server.kill(),
    "one of its workers": lambda victim: victim.server.children()[0].kill(),
    "its guard": lambda victim: victim.inner_guard.kill(),
}


@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize("phase", HELD_IN)
async def test_death_is_noticed(tmp_path: Path, phase: Phase, blow: str) -> None:
    model = tmp_path / f"mark-{phase.value}"
    write_model(model)
    study = served_study(
        write_interpreter(tmp_path),
        model=str(model),
        env=HELD_IN[phase],
        duration_s=LOAD_S.get(phase, 1.0),
    )
    engine = EngineServer(Vllm(), study, tmp_path)
    session = Session(study, engine, tmp_path, WallClock())
    load = make_load(small_trace(), study.workload, share=1, max_model_len=4096, seed=1)
    running = asyncio.create_task(session.run({"tensor_parallel_size": 1}, load, share=1, seed=1))
    victim = Victim(session, str(model))
    await until(lambda: session.phase is phase and has_workers(victim), LIMIT_S)
    await asyncio.sleep(SETTLE_S)
    assert session.phase is phase
    BLOWS[blow](victim)
    killed_s = time.monotonic()
    await until(lambda: session.phase is not phase, LIMIT_S)
    noticed_s = time.monotonic() - killed_s
    outcome = await running
    print(f"{phase.value}, kill -9 of {blow}: noticed after {noticed_s:.2f} s")
    assert noticed_s < NOTICED_WITHIN_S
    assert_told(outcome, phase)
    assert wait_for_number(victim.mark, 0, 0.0) == []


def has_workers(victim: Victim) -> bool:
    return len(victim.server.children()) == 1


def assert_told(outcome: Outcome, phase: Phase) -> None:
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.phase is phase
    assert outcome.failure.cause in ("engine_exited", "health_lost")
    timed = list(outcome.phases_s)
    assert timed[-1] == "stop"
    assert timed[-2] == (READINESS if phase is Phase.START else phase.value)
