"""Several processes share a load: real ones, on a real socket."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scoot_ray.core.errors import InfrastructureError
from scoot_ray.core.partial_load import PartialLoad
from scoot_ray.core.request import Request
from tests.stand_in_engine import StandIn
from tests.unit.trainables.test_client import requests_at, serving
from trainables.client import LoadClient
from trainables.client_pool import ClientPool, make_client, num_processes_for
from trainables.clock import WallClock
from trainables.engines.endpoint import Endpoint
from trainables.message import TokenIdWriter

ROOT = Path(__file__).parents[3]


async def test_records_come_in_the_order_of_sending(tmp_path: Path) -> None:
    requests = requests_at(*[0.05 * n for n in range(9)])
    messages = TokenIdWriter("m", 512, 0).write(requests)
    async with (
        serving(StandIn(ttft_s=0.1), tmp_path) as endpoint,
        ClientPool(endpoint, 30.0, 2) as client,
    ):
        warmup = await client.drain(await client.send(messages[:1]))
        records = await client.drain(await client.send(messages))
    assert [record.completed for record in [*warmup, *records]] == [True] * 10
    assert [record.due_s for record in records] == [request.arrival_s for request in requests]
    assert all(record.lag_s >= 0 for record in records)
    assert all(record.ttft_s >= 0.1 for record in records)


async def test_it_tells_how_far_the_load_has_come(tmp_path: Path) -> None:
    requests = requests_at(0.0, 0.0, 0.0, 60.0)
    messages = TokenIdWriter("m", 512, 0).write(requests)
    load = PartialLoad(requests)
    async with (
        serving(StandIn(fault="hang", faulty_from=2), tmp_path) as endpoint,
        ClientPool(endpoint, 60.0, 2) as client,
    ):
        sending = asyncio.create_task(client.send(messages))
        async with asyncio.timeout(30):
            while load.num_in_flight != 1 or load.is_open.sum() != 2 or load.now_s < 0.5:
                await asyncio.sleep(0.1)
                if client._latest:
                    client.update(load)
        sending.cancel()
    assert load.is_open[3]
    assert load.failed.sum() == 0


async def test_a_lost_process_is_nobodys_fault_but_the_machines(tmp_path: Path) -> None:
    messages = TokenIdWriter("m", 512, 0).write(requests_at(0.0, 0.0))
    async with (
        serving(StandIn(fault="hang"), tmp_path) as endpoint,
        ClientPool(endpoint, 30.0, 2) as client,
    ):
        futures = await client.send(messages)
        client._processes[0].send_signal(signal.SIGKILL)
        with pytest.raises(InfrastructureError, match="load client ended with status -9"):
            await client.drain(futures)


async def test_leaving_ends_the_processes(tmp_path: Path) -> None:
    messages = TokenIdWriter("m", 512, 0).write(requests_at(0.0, 0.0))
    async with (
        serving(StandIn(fault="hang"), tmp_path) as endpoint,
        ClientPool(endpoint, 30.0, 2) as client,
    ):
        pids = [process.pid for process in client._processes]
        await client.send(messages)
    assert not any(psutil.pid_exists(pid) for pid in pids)


TRIAL = """
import asyncio, sys
from pathlib import Path
from trainables.client_pool import ClientPool
from trainables.engines.endpoint import Endpoint
async def main():
    async with ClientPool(Endpoint("m", socket=Path("nobody")), 30.0, 2) as client:
        print(*[process.pid for process in client._processes], flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def test_processes_end_with_a_trial_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TRIAL],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as trial:
        assert trial.stdout is not None
        processes = [psutil.Process(int(pid)) for pid in trial.stdout.readline().split()]
        trial.kill()
    gone, left = psutil.wait_procs(processes, timeout=10)
    assert (len(gone), left) == (2, [])


@pytest.mark.parametrize(("rate_rps", "output_tokens", "num"), [(20, 64, 1), (200, 500, 5)])
async def test_as_many_processes_as_the_load_takes(
    tmp_path: Path, rate_rps: int, output_tokens: int, num: int
) -> None:
    requests = [Request(n / rate_rps, 10, output_tokens) for n in range(10 * rate_rps)]
    assert num_processes_for(requests) == num
    client = make_client(Endpoint("m", socket=tmp_path), WallClock(), 1.0, requests)
    is_pool = num > 1 and (os.cpu_count() or 1) > 1
    assert isinstance(client, ClientPool if is_pool else LoadClient)
    async with asyncio.timeout(60), client:
        pass
