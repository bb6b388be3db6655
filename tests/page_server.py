"""`scoot serve` as a process of its own: the real page on a real Ray Serve."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.studies import command
from tests.ports import free_port
from tests.ray_head import ROOT

START_LIMIT_S = 180.0


@contextlib.contextmanager
def page_server(
    root: Path, log: Path, *options: str, port: int | None = None
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start it and wait until it answers; yield its address, and end it as Ctrl-C does."""
    port = port or free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            command("serve", root, "--port", port, *options),
            env=env,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        deadline_s = time.monotonic() + START_LIMIT_S
        while "Ctrl-C" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline_s:
                pytest.fail(f"scoot serve did not come up: {log.read_text()}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
