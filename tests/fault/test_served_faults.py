"""Faults on demand: real processes that break as real engines do."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

import aiohttp
import psutil
import pytest

from scoot_ray.core.request import Request
from tests.integration.studies import command, write_study
from trainables.client import LoadClient
from trainables.clock import WallClock
from trainables.engines.endpoint import Endpoint
from trainables.message import TokenIdWriter

pytestmark = pytest.mark.slow
MODEL = "meta-llama/Llama-2-7b-hf"
START_LIMIT_S = 60.0


class ServedProcess:
    """`scoot simulate --serve` with its log, and clients of it."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.endpoint = Endpoint(model=MODEL, socket=folder / "s")
        self.log = folder / "engine.log"
        study = write_study(folder)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command("simulate", study, "--serve", "--uds", folder / "s", *arguments),
                stderr=log,
            )

    def wait_for(self, text: str) -> None:
        """Return once the log has said `text`."""
        deadline_s = time.monotonic() + START_LIMIT_S
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline_s, self.log.read_text()
            time.sleep(0.05)

    async def replay(self, num_requests: int, timeout_s: float = 30.0) -> list[str | None]:
        """Send requests of 20 tokens, 50 ms apart; return their errors."""
        requests = [Request(0.05 * n, 20, 20) for n in range(num_requests)]
        messages = TokenIdWriter(MODEL, 32_000, 0).write(requests)
        async with LoadClient(self.endpoint, WallClock(), timeout_s) as client:
            records = await client.drain(await client.send(messages))
        return [record.error for record in records]


@contextmanager
def serving(folder: Path, *arguments: object) -> Iterator[ServedProcess]:
    served = ServedProcess(folder, *arguments)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.wait()


async def test_a_healthy_one_serves_and_ends_with_a_signal(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.wait_for("Serving")
        assert await served.endpoint.is_healthy()
        assert await served.replay(5) == [None] * 5
        served.process.send_signal(SIGTERM)
        assert served.process.wait(10) == 0
        assert not (tmp_path / "s").exists()


async def test_die_at_start(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "die-at-start") as served:
        assert served.process.wait(START_LIMIT_S) == 1
        assert not await served.endpoint.is_healthy()
        assert "Engine core initialization failed" in served.log.read_text()


async def test_slow_start_refuses_connections_until_it_is_ready(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "slow-start:3") as served:
        served.wait_for("KV cache")
        (error,) = await served.replay(1)
        assert error is not None
        assert error.startswith("connection: ")
        served.wait_for("Serving")
        assert await served.replay(1) == [None]


@pytest.mark.parametrize(
    ("fault", "last_words"),
    [
        ("die-mid-load", "RuntimeError: simulated fault"),
        ("out-of-memory", "torch.OutOfMemoryError: CUDA out of memory"),
    ],
)
async def test_death_under_load(tmp_path: Path, fault: str, last_words: str) -> None:
    with serving(tmp_path, "--fault", f"{fault}:3") as served:
        served.wait_for("Serving")
        errors = await served.replay(10)
        assert served.process.wait(10) == 1
        assert any(error is not None for error in errors[:4])
        assert all(error is not None for error in errors[4:])
        assert last_words in served.log.read_text()


async def test_a_hang_accepts_and_says_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "hang:1") as served:
        served.wait_for("Serving")
        assert await served.replay(1) == [None]
        assert await served.replay(2, timeout_s=1.0) == ["timeout"] * 2
        async with served.endpoint.session() as session:
            with pytest.raises(TimeoutError):
                await session.get(
                    "http://localhost/health", timeout=aiohttp.ClientTimeout(total=0.5)
                )
        assert served.process.poll() is None
        served.process.send_signal(SIGTERM)
        assert served.process.wait(10) == 0


def test_a_configuration_that_does_not_fit_dies_as_a_real_one(tmp_path: Path) -> None:
    with serving(tmp_path, "--set", "max_num_seqs=4096") as served:
        assert served.process.wait(START_LIMIT_S) == 1
        assert "must be greater than or equal to max_num_seqs" in served.log.read_text()


def test_only_the_loopback_interface_is_open_unless_asked(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    with subprocess.Popen(
        command("simulate", study, "--serve", "--port", 0), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "Serving" in line)
        connections = psutil.Process(process.pid).net_connections("inet")
        process.terminate()
    assert "http://127.0.0.1:" in line
    assert [connection.laddr.ip for connection in connections] == ["127.0.0.1"]
