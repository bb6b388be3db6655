"""A Ray head of the tests' own, beside whatever else runs on the machine."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 180.0
# Workers bind what the kernel gives them: two heads would hand out the same ports otherwise.
ANY_PORT = ("--min-worker-port=0", "--max-worker-port=0")


@dataclass(frozen=True)
class RayHead:
    """Name the addresses of a running head.

    Attributes:
        address: Of its cluster, for `ray.init`.
        dashboard: URL of its dashboard, which takes jobs.
        metrics: URL of its metrics page.
        env: The environment in which its clients must run.
    """

    address: str
    dashboard: str
    metrics: str
    env: dict[str, str]


@contextlib.contextmanager
def ray_head(
    *, num_cpus: int = 4, num_gpus: int = 2, variables: Mapping[str, str] | None = None
) -> Iterator[RayHead]:
    """Start a head with logical CPUs and GPUs, and end it with all its processes.

    `variables` are further ones of its environment, and of its clients'.
    """
    port, dashboard, metrics, agent, client = (free_port() for _ in range(5))
    env = {**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(ROOT)}
    # Jobs find `python` by the head's PATH.
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env |= variables or {}
    env.pop("RAY_ADDRESS", None)
    # Sockets lie below, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="sr-", dir="/tmp"))
    command = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--head",
        "--block",
        "--disable-usage-stats",
        "--node-ip-address=127.0.0.1",
        f"--port={port}",
        f"--dashboard-port={dashboard}",
        f"--metrics-export-port={metrics}",
        f"--dashboard-agent-listen-port={agent}",
        f"--ray-client-server-port={client}",
        *ANY_PORT,
        f"--num-cpus={num_cpus}",
        f"--num-gpus={num_gpus}",
        f"--temp-dir={folder}",
    ]
    with (folder / "head.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{dashboard}"
        _wait_until_up(f"{url}/api/version", process)
        yield RayHead(f"127.0.0.1:{port}", url, f"http://127.0.0.1:{metrics}/metrics", env)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it wants a token
        except OSError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"the Ray head did not come up: exit status {process.poll()}")
