"""What a real head's metrics page and dashboard say of a study that runs on it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ray.util.state import list_actors
from ray.util.state.exception import RayStateApiException

from scoot_ray.readings import METRICS
from tests.fault.raylets import free_port
from tests.integration.studies import command, write_study
from tests.processes import processes_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LIMIT_S = 180.0


def until(found: Callable[[], bool]) -> bool:
    """Wait until something is found."""
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError, RayStateApiException):  # not up yet
            if found():
                return True
        time.sleep(0.5)
    return False


class Head:
    """A head with a dashboard and a metrics page on ports of its own."""

    def __init__(self, folder: Path) -> None:
        ports = {name: free_port() for name in ("port", "dashboard-port", "metrics-export-port")}
        self.address = f"127.0.0.1:{ports['port']}"
        self.dashboard = f"http://127.0.0.1:{ports['dashboard-port']}"
        self._metrics = f"http://127.0.0.1:{ports['metrics-export-port']}/metrics"
        arguments = ["start", "--head", "--block", "--num-cpus=4", "--num-gpus=4"]
        arguments += ["--node-ip-address=127.0.0.1", f"--temp-dir={folder}"]
        arguments += ["--disable-usage-stats", "--object-store-memory=100000000"]
        arguments += [f"--{name}={port}" for name, port in ports.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *arguments], stdout=subprocess.DEVNULL
        )

    def metrics(self) -> str:
        """Fetch the metrics page."""
        with urllib.request.urlopen(self._metrics, timeout=10) as reply:
            return str(reply.read().decode())

    def actors(self) -> list[str]:
        """Return the names that the dashboard gives to actors."""
        return [actor.repr_name or "" for actor in list_actors(address=self.dashboard, detail=True)]


@pytest.fixture
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    os.environ["RAY_AUTH_MODE"] = "disabled"
    folder = Path("/tmp") / f"rh-{free_port()}"  # Ray's sockets want a short path
    head = Head(folder)
    try:
        yield head
    finally:
        head.process.send_signal(signal.SIGTERM)
        head.process.wait(30)
        for process in processes_with(str(folder)):
            process.kill()


def test_metrics_and_names(head: Head, tmp_path: Path) -> None:
    study = write_study(
        tmp_path,
        simulator={"pace": 0.2},
        search={"observations": 200, "parallelism": 2},
        service={"num_gpus": 4},
    )
    assert until(lambda: "ray_" in head.metrics())
    driver = subprocess.Popen(
        command("tune", study, "--output", tmp_path / "out", "--address", head.address),
        start_new_session=True,
    )
    try:
        assert until(lambda: any(name.startswith("trial ") for name in head.actors()))
        assert until(lambda: all(f"ray_{m.name}" in head.metrics() for m in METRICS)), [
            m.name for m in METRICS if f"ray_{m.name}" not in head.metrics()
        ]
        lines = [x for x in head.metrics().splitlines() if x.startswith("ray_scoot_trials{")]
        assert len(lines) == 6  # one for each state, whatever the number of trials
        assert all('study="small"' in line for line in lines)
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
