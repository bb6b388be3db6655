"""On a real Ray cluster, whoever is killed: ten seconds later, nothing is left of the engine."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from ray.job_submission import JobSubmissionClient
from ray.util.state import list_actors

from tests.integration.studies import command
from tests.processes import processes_with, wait_for_file, wait_for_number
from tests.ray_head import RayHead, ray_head
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import write_model
from trainables.engines.guarded_process import GUARD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GONE_WITHIN_S = 10.0
START_LIMIT_S = 280.0
NUM_PROCESSES = 5  # two guards, the server, two workers in sessions of their own

KILL_BY_HANDLE = """
import sys, ray
from pathlib import Path

class Trial:
    def run(self, study_file, folder):
        from scoot_ray.core.study import load_study
        from traces import load_trace
        from trainables.backend import make_stress_test
        study = load_study(study_file)
        trace = load_trace(study.workload.trace)
        make_stress_test(study, folder=Path(folder)).run({}, trace, 1)

ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)
trial = ray.remote(num_cpus=0)(Trial).remote()
trial.run.remote(sys.argv[2], sys.argv[3])
sys.stdin.readline()
ray.kill(trial)
sys.stdin.readline()
"""


class Study:
    """A study whose stand-in engine is under endless load; `mark` is on its processes."""

    def __init__(self, folder: Path, head: RayHead) -> None:
        self.head = head
        self.output = folder / "out"
        model = folder / f"mark-{uuid.uuid4().hex}"
        write_model(model)
        self.mark = model.name
        self.file = folder / "study.yaml"
        self.file.write_text(yaml.safe_dump(self._content(model, write_interpreter(folder))))
        self.driver: subprocess.Popen[bytes] | None = None

    @staticmethod
    def _content(model: Path, python: Path) -> dict[str, Any]:
        return {
            "name": "orphans",
            "engine": {
                "kind": "vllm",
                "model": str(model),
                "python": str(python),
                "fixed": {"max_model_len": 4096},
            },
            "service": {"num_gpus": 1, "accelerator": "CPU"},
            "workload": {"trace": "synthetic:bot", "request_rate_rps": 5, "duration_s": 600},
            "search": {"observations": 3, "algorithm": "random"},
        }

    def tune(self, address: str) -> list[str]:
        return command("tune", self.file, "--output", self.output, "--address", address)

    def start(self) -> None:
        self.driver = subprocess.Popen(
            self.tune(self.head.address),
            env=self.head.env,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )

    def engine(self) -> list[psutil.Process]:
        """Wait until the engine answers requests, and list its processes, guards included.

        While it starts, a process that only makes an orphan counts as one of its workers.
        """
        wait_for_file(self.output, "served.json", START_LIMIT_S)
        found = wait_for_number(self.mark, NUM_PROCESSES, START_LIMIT_S)
        assert len(found) == NUM_PROCESSES
        return found

    def start_actor(self) -> None:
        """Start a trial in an actor that is killed, by its handle, at a line to its driver."""
        self.driver = subprocess.Popen(
            [sys.executable, "-c", KILL_BY_HANDLE, self.head.address, self.file, self.output],
            env=self.head.env,
            start_new_session=True,
            stdin=subprocess.PIPE,
        )

    def worker(self) -> int:
        """Return the Ray worker in which the trial runs."""
        actors = list_actors(address=self.head.dashboard, filters=[("state", "=", "ALIVE")])
        (pid,) = [actor.pid for actor in actors]
        assert pid is not None
        return pid

    def close(self) -> None:
        if self.driver is not None:
            self.driver.kill()
            self.driver.wait()
            if self.driver.stdin is not None:
                self.driver.stdin.close()
        # What was started again after the kill goes with the driver.
        assert wait_for_number(self.mark, 0, 60.0) == []


@pytest.fixture(scope="module")
def head() -> Iterator[RayHead]:
    with ray_head() as head:
        yield head


@pytest.fixture
def study(tmp_path: Path, head: RayHead) -> Iterator[Study]:
    study = Study(tmp_path, head)
    yield study
    study.close()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def guards(study: Study) -> list[int]:
    found = [p.pid for p in processes_with(study.mark) if str(GUARD) in p.cmdline()]
    return sorted(found)


def server(study: Study) -> psutil.Process:
    # The eldest: a child that it is just forking has its command line.
    return min(
        (p for p in processes_with(study.mark) if is_server(p.info["cmdline"])),
        key=lambda process: process.pid,
    )


def is_server(words: list[str]) -> bool:
    return "tests.stand_in_engine" in " ".join(words) and str(GUARD) not in words


def signal_driver(study: Study, number: signal.Signals) -> None:
    assert study.driver is not None
    study.driver.send_signal(number)


BLOWS: dict[str, Callable[[Study], object]] = {
    "kill -9 of the driver": lambda study: signal_driver(study, signal.SIGKILL),
    "Ctrl-C": lambda study: signal_driver(study, signal.SIGINT),
    "SIGTERM to the driver": lambda study: signal_driver(study, signal.SIGTERM),
    "kill -9 of the Ray worker": lambda study: kill(study.worker()),
    "kill -9 of the engine's parent": lambda study: kill(guards(study)[1]),
    "kill -9 of the engine": lambda study: server(study).kill(),
    "kill -9 of one engine worker": lambda study: server(study).children()[0].kill(),
}


@pytest.mark.parametrize("blow", BLOWS)
def test_nothing_is_left_of_the_engine(study: Study, blow: str) -> None:
    study.start()
    engine = study.engine()
    BLOWS[blow](study)
    report_gone(blow, engine)


def test_nothing_is_left_of_the_engine_when_its_actor_is_killed_by_ray(study: Study) -> None:
    study.start_actor()
    engine = study.engine()
    assert study.driver is not None
    assert study.driver.stdin is not None
    study.driver.stdin.write(b"\n")
    study.driver.stdin.flush()
    report_gone("ray.kill of the trial's actor", engine)


def test_nothing_is_left_of_the_engine_when_its_job_is_stopped(study: Study) -> None:
    client = JobSubmissionClient(study.head.dashboard)
    job = client.submit_job(
        entrypoint=" ".join(study.tune("auto")),
        runtime_env={"env_vars": {"PYTHONPATH": study.head.env["PYTHONPATH"]}},
    )
    engine = study.engine()
    client.stop_job(job)
    report_gone("ray job stop", engine)


def report_gone(blow: str, engine: list[psutil.Process]) -> None:
    start_s = time.monotonic()
    _, left = psutil.wait_procs(engine, timeout=GONE_WITHIN_S)
    print(f"{blow}: nothing left after {time.monotonic() - start_s:.1f} s")
    assert left == [], f"{len(left)} of {len(engine)} processes are left"
