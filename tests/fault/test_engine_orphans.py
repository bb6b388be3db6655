"""An engine never outlives its trial, whoever is killed."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.processes import processes_with, wait_for_number
from tests.stand_in_engine import write_interpreter
from trainables.engines.guarded_process import GUARD

LIMIT_S = 10.0
NUM_ENGINE_PROCESSES = 3  # the server and two workers, each in a session of its own
NUM_GUARDS = 2

TRIAL = """
import asyncio, sys
from pathlib import Path
from scoot_ray.core.study import parse_study
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm

folder, interpreter, mark = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
study = parse_study({
    "name": "orphans",
    "engine": {
        "kind": "vllm", "model": mark, "python": interpreter, "fixed": {"max_model_len": 64}
    },
    "service": {"num_gpus": 1, "accelerator": "CPU"},
    "workload": {"trace": "synthetic:bot", "request_rate_rps": 1},
})

async def main():
    engine = EngineServer(Vllm(), study, folder)
    endpoint = await engine.start({})
    await endpoint.wait_until_healthy()
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


class Trial:
    """A process that has started a stand-in engine; `mark` is on every command line below it."""

    def __init__(self, folder: Path) -> None:
        self.mark = f"mark-{uuid.uuid4().hex}"
        script = folder / "trial.py"
        script.write_text(TRIAL)
        arguments = [str(script), str(folder), str(write_interpreter(folder)), self.mark]
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"
        everything = 1 + NUM_GUARDS + NUM_ENGINE_PROCESSES
        assert len(wait_for_number(self.mark, everything, LIMIT_S)) == everything

    @property
    def guards(self) -> list[psutil.Process]:
        """The guards, the outer one first."""
        found = [p for p in processes_with(self.mark) if str(GUARD) in p.cmdline()]
        return sorted(found, key=lambda process: process.pid)

    @property
    def server(self) -> psutil.Process:
        """The engine's main process."""
        (found,) = [
            p
            for p in processes_with(self.mark)
            if "tests.stand_in_engine" in " ".join(p.cmdline()) and str(GUARD) not in p.cmdline()
        ]
        return found

    def close(self) -> None:
        """End whatever a failed test has left."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        for process in processes_with(self.mark):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path)
    yield trial
    trial.close()


def test_nothing_is_left_when_the_trial_is_killed(trial: Trial) -> None:
    trial.process.kill()
    assert wait_for_number(trial.mark, 0, LIMIT_S) == []


def test_nothing_is_left_when_the_trial_is_terminated(trial: Trial) -> None:
    trial.process.terminate()
    assert wait_for_number(trial.mark, 0, LIMIT_S) == []


def test_nothing_is_left_when_all_children_of_the_trial_are_killed_first(trial: Trial) -> None:
    """Ray kills a worker's children before the worker: no guard may be among them."""
    assert psutil.Process(trial.process.pid).children(recursive=True) == []


def test_workers_go_with_the_server(trial: Trial) -> None:
    trial.server.kill()
    assert len(wait_for_number(trial.mark, 1, LIMIT_S)) == 1  # the trial itself


def test_the_outer_guard_sweeps_when_the_inner_one_is_killed(trial: Trial) -> None:
    trial.guards[1].kill()
    assert len(wait_for_number(trial.mark, 1, LIMIT_S)) == 1


def test_the_inner_guard_works_on_when_the_outer_one_is_killed(trial: Trial) -> None:
    trial.guards[0].kill()
    assert len(wait_for_number(trial.mark, 5, LIMIT_S)) == 5
    trial.process.kill()
    assert wait_for_number(trial.mark, 0, LIMIT_S) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_guard_ends_at_no_polite_signal(trial: Trial, number: signal.Signals) -> None:
    for guard in trial.guards:
        guard.send_signal(number)
    trial.process.kill()
    assert wait_for_number(trial.mark, 0, LIMIT_S) == []
