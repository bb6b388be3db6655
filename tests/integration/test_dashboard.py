"""What a real head's metrics page and dashboard say of a study that runs on it."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ray.util.state import list_actors
from ray.util.state.exception import RayStateApiException

from scoot_ray.readings import METRICS
from tests.integration.studies import command, write_study
from tests.ray_head import RayHead, ray_head

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


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[RayHead]:
    with ray_head(num_gpus=4) as head:
        monkeypatch.setenv("RAY_AUTH_MODE", head.env["RAY_AUTH_MODE"])
        yield head


def metrics(head: RayHead) -> str:
    """Fetch the metrics page."""
    with urllib.request.urlopen(head.metrics, timeout=10) as reply:
        return str(reply.read().decode())


def actors(head: RayHead) -> list[str]:
    """Return the names that the dashboard gives to actors."""
    return [actor.repr_name or "" for actor in list_actors(address=head.dashboard, detail=True)]


def test_metrics_and_names(head: RayHead, tmp_path: Path) -> None:
    study = write_study(
        tmp_path,
        simulator={"pace": 0.2},
        search={"observations": 200, "parallelism": 2},
        service={"num_gpus": 4},
    )
    assert until(lambda: "ray_" in metrics(head))
    driver = subprocess.Popen(
        command("tune", study, "--output", tmp_path / "out", "--address", head.address),
        env=head.env,
        start_new_session=True,
    )
    try:
        assert until(lambda: any(name.startswith("trial ") for name in actors(head)))
        assert until(lambda: all(f"ray_{m.name}" in metrics(head) for m in METRICS)), [
            m.name for m in METRICS if f"ray_{m.name}" not in metrics(head)
        ]
        lines = [x for x in metrics(head).splitlines() if x.startswith("ray_scoot_trials{")]
        assert len(lines) == 6  # one for each state, whatever the number of trials
        assert all('study="small"' in line for line in lines)
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
