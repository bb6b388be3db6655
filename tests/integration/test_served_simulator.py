"""The same load through the virtual clock and over HTTP in real time gives the same numbers.

What may differ is the client's error and what follows from it. A request comes a few milliseconds
later than it was due, over HTTP, and its tokens as much later; so it now and then misses a step of
about 20 ms that it caught in virtual time, or catches one that it missed. Both cancel in the mean.
The tolerances leave room for a busy machine with two cores.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from scoot_ray.core.assignment import trial_seed
from scoot_ray.core.metrics import summarize
from scoot_ray.core.request import Request, RequestRecord
from scoot_ray.core.study import Study, load_study
from scoot_ray.simulate import as_simulated, configure
from tests.integration.studies import command, write_study
from trainables.client import LoadClient
from trainables.clock import WallClock
from trainables.engines.endpoint import Endpoint
from trainables.engines.vllm import COUNTERS
from trainables.message import TokenIdWriter
from trainables.simulator.fleet import Fleet
from trainables.simulator.twin import Twin

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MODEL = "meta-llama/Llama-2-7b-hf"
SETTINGS = {"max_num_batched_tokens": 512, "max_num_seqs": 64}
TTFT_TOLERANCE_S = 0.012
TPOT_TOLERANCE_S = 0.0005
RELATIVE_TOLERANCE = 0.02


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    return write_study(tmp_path, service={"num_gpus": 1, "accelerator": "L40S"})


@pytest.fixture
def study(study_file: Path) -> Study:
    return as_simulated(load_study(study_file))


@pytest.fixture
def endpoint(study_file: Path, tmp_path: Path) -> Iterator[Endpoint]:
    """Serve the simulator, as a process of its own."""
    socket = tmp_path / "s"
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    arguments = ("simulate", study_file, "--serve", "--uds", socket, *settings)
    with subprocess.Popen(command(*arguments), stderr=sys.stderr) as process:
        yield Endpoint(MODEL, socket=socket, counters=COUNTERS)
        process.terminate()


def make_requests() -> list[Request]:
    """Return ten seconds of load: four requests a second, two of three with a common prefix."""
    return [
        Request(
            arrival_s=0.25 * n + 0.1 * (n % 3),
            prompt_tokens=200 + 53 * (n % 7),
            output_tokens=30 + 7 * (n % 6),
            prefix_hashes=(1, 2) if n % 3 else (),
            block_tokens=64 if n % 3 else 0,
        )
        for n in range(40)
    ]


def in_virtual_time(study: Study) -> tuple[list[RequestRecord], int]:
    """Return the records, and the prompt tokens that the prefix cache spared."""
    engine = Twin.of(study, configure(study, SETTINGS)).make_engine(trial_seed(0, 0))
    sequences = list(Fleet([engine]).serve(make_requests()))
    num_cached = sum(sequence.num_cached_tokens for sequence in sequences)
    return [sequence.to_record(1) for sequence in sequences], num_cached


async def over_http(endpoint: Endpoint) -> tuple[list[RequestRecord], float]:
    async with asyncio.timeout(60):
        await endpoint.wait_until_healthy()
    messages = TokenIdWriter(MODEL, 32_000, 0).write(make_requests())
    async with LoadClient(endpoint, WallClock(), 60.0) as client:
        records = await client.drain(await client.send(messages))
    return records, (await endpoint.read_counters())["prefix_cache_hits"]


def test_virtual_and_real_time_agree(study: Study, endpoint: Endpoint) -> None:
    virtual_records, virtual_hits = in_virtual_time(study)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        real_records, real_hits = runner.run(over_http(endpoint))
    virtual, real = summarize(virtual_records), summarize(real_records)
    assert real["num_failed"] == 0
    for name in ("throughput_rps", "output_tokens_per_s", "latency_mean_s", "latency_p95_s"):
        assert real[name] == pytest.approx(virtual[name], rel=RELATIVE_TOLERANCE), name
    assert real["ttft_mean_s"] == pytest.approx(virtual["ttft_mean_s"], abs=TTFT_TOLERANCE_S)
    assert real["tpot_mean_s"] == pytest.approx(virtual["tpot_mean_s"], abs=TPOT_TOLERANCE_S)
    assert real_hits == virtual_hits > 0
