"""How fast the simulated engine is, and that time and memory grow as they should.

    python -m benchmarks.simulator [--quick] [--vidur DIR]

The first table is the processor time of a whole stress test, from configuration to metrics. The
second is that of 1,000 to 1,000,000 requests, streamed through one engine at a fixed load, and how
much memory that takes at its peak. With `--vidur`, a third compares with Vidur on the same
requests; `benchmarks/vidur.py` says how to install it.

Times are those of one process on one core (`time.process_time`), so other processes disturb them
little, but not nothing: the fastest of several runs counts, and the first, which finds no cache
filled, is told beside it.
"""

import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import vidur as vidur_comparison
from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from benchmarks.vidur import Speed
from scoot_ray.core.failure import Phase
from scoot_ray.core.request import Request
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, parse_study
from traces.synthetic import make_synthetic
from trainables.replicas import replicas_of
from trainables.simulator.fleet import Fleet
from trainables.simulator.stress_test import SimulatedStressTest
from trainables.simulator.twin import Twin

RESULTS = Path(__file__).parent / "results" / "simulator.json"
TRACE = "synthetic:bot"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
STREAM_RATE_RPS = 2.0  # about three quarters of what the engine carries
REQUESTS_PER_SAMPLE = 200  # of the resident memory


@dataclass(frozen=True)
class Service:
    """Describe a service whose stress test is timed."""

    accelerator: str
    num_gpus: int
    space: str
    config: Config = field(default_factory=dict)
    rate_rps: float = 20.0

    def __str__(self) -> str:
        settings = "".join(f", {name}={value}" for name, value in self.config.items())
        return f"{self.num_gpus} x {self.accelerator}, {self.space}{settings}"

    @property
    def study(self) -> Study:
        """Return the study of this service."""
        engine = {"kind": "simulated", "model": "meta-llama/Llama-2-7b-hf"}
        workload = {"trace": TRACE, "request_rate_rps": self.rate_rps, "duration_s": 100}
        data: dict[str, Any] = {
            "name": "speed",
            "engine": engine | {"fixed": {"max_model_len": 4096}},
            "service": {"num_gpus": self.num_gpus, "accelerator": self.accelerator},
            "workload": workload,
            "objective": "interactive",
            "space": self.space,
        }
        return parse_study(data)


CACHING: Mapping[str, Any] = {"enable_prefix_caching": True}
SERVICES = (
    Service("A100-80GB", 1, "vllm-v1"),
    Service("A100-80GB", 1, "vllm-v0", CACHING),
    Service("A100-80GB", 4, "vllm-v1", {"tensor_parallel_size": 1}),
    Service("A100-80GB", 4, "vllm-v1", {"tensor_parallel_size": 4}),
    Service("A100-80GB", 4, "vllm-v0", {"tensor_parallel_size": 4}),
    Service("L40S", 4, "vllm-v1"),
    Service("L40S", 4, "vllm-v0", CACHING),
    Service("H100", 1, "vllm-v1"),
    Service("H100", 4, "vllm-v1", {"tensor_parallel_size": 4}),
)
STREAM_SERVICE = Service("A100-80GB", 1, "vllm-v1", rate_rps=STREAM_RATE_RPS)


@dataclass(frozen=True)
class StressTestTime:
    """Hold what one stress test took.

    Attributes:
        num_requests: Expected in the load; the tested replica gets its share of 20 a second.
        simulated_s: From the first arrival to the last answer.
        first_s: Processor time of the first run.
        cpu_s: Processor time of the fastest run.
    """

    service: str
    state: str
    num_requests: int
    simulated_s: float
    first_s: float
    cpu_s: float


@dataclass(frozen=True)
class StreamCost:
    """Hold what streaming so many requests took.

    Attributes:
        simulated_s: Until the last one ended.
        cpu_s: Processor time, drawing the requests included.
        growth_bytes: Peak of the resident memory over what it was before the first one.
    """

    num_requests: int
    simulated_s: float
    cpu_s: float
    growth_bytes: int


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Two runs, 10,000 requests.")] = False,
    vidur: Annotated[Path | None, typer.Option(help="Vidur's checkout.")] = None,
    output: Path = RESULTS,
) -> None:
    """Measure, print the tables, and write them as JSON."""
    repeats, sizes = (2, SIZES[:2]) if quick else (7, SIZES)
    stress_tests = [time_stress_test(service, repeats) for service in SERVICES]
    console = Console()
    console.print(stress_test_table(stress_tests))
    streams = [in_fresh_process(size) for size in sizes]
    console.print(stream_table(streams))
    speeds: list[Speed] = []
    if vidur is not None:
        speeds = vidur_comparison.compare(vidur, rates_rps=(2.0, 20.0), repeats=min(repeats, 3))
        console.print(speed_table(speeds))
    write_result(
        output,
        stress_tests=[asdict(row) for row in stress_tests],
        streams=[asdict(row) for row in streams],
        vidur=[asdict(row) for row in speeds],
    )


def time_stress_test(service: Service, repeats: int) -> StressTestTime:
    """Time the stress test of one service, from its configuration to its metrics."""
    trace = make_synthetic(TRACE)
    stress_test = SimulatedStressTest(service.study)
    times_s = []
    for _ in range(repeats):
        started_s = time.process_time()
        outcome = stress_test.run(service.config, trace, seed=0)
        times_s.append(time.process_time() - started_s)
    share, phases = replicas_of(service.study, service.config).share, outcome.phases_s
    failure = f" ({outcome.failure.cause})" if outcome.failure else ""
    return StressTestTime(
        service=str(service),
        state=f"{outcome.state}{failure}",
        num_requests=round(share * service.rate_rps * 100),
        simulated_s=phases.get(Phase.LOAD, 0.0) + phases.get(Phase.DRAIN, 0.0),
        first_s=times_s[0],
        cpu_s=min(times_s),
    )


def in_fresh_process(num_requests: int) -> StreamCost:
    """Stream requests in a process of its own, whose memory nothing else has touched."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(stream, num_requests).result()


def stream(num_requests: int) -> StreamCost:
    """Serve requests that are made while they are served, and forgotten when they have ended."""
    requests = poisson_stream(make_synthetic(TRACE).requests, num_requests)
    engine = Twin.of(STREAM_SERVICE.study, STREAM_SERVICE.config).make_engine(0)
    fleet, process = Fleet([engine]), psutil.Process()
    before_bytes = peak_bytes = process.memory_info().rss
    started_s = time.process_time()
    num_served = 0
    for _ in fleet.serve(requests):
        num_served += 1
        if num_served % REQUESTS_PER_SAMPLE == 0:
            peak_bytes = max(peak_bytes, process.memory_info().rss)
    cpu_s = time.process_time() - started_s
    assert num_served == num_requests
    return StreamCost(num_requests, fleet.now_s, cpu_s, peak_bytes - before_bytes)


def poisson_stream(requests: Sequence[Request], num_requests: int) -> Iterator[Request]:
    """Draw requests at random, one by one, with arrivals that are a Poisson process."""
    rng = np.random.default_rng(0)
    now_s = 0.0
    for _ in range(num_requests):
        now_s += rng.exponential(1 / STREAM_RATE_RPS)
        yield replace(requests[int(rng.integers(len(requests)))], arrival_s=now_s)


def stress_test_table(rows: Sequence[StressTestTime]) -> Table:
    """Tabulate stress tests."""
    headings = ("service", "outcome", "requests", "simulated s", "first CPU s", "best CPU s")
    table = _table("100 s of BOT at 20 requests a second, Llama-2-7b", *headings, "simulated / CPU")
    for row in rows:
        table.add_row(
            row.service,
            row.state,
            f"{row.num_requests}",
            f"{row.simulated_s:.0f}",
            f"{row.first_s:.3f}",
            f"{row.cpu_s:.3f}",
            f"{row.simulated_s / row.cpu_s:,.0f}",
        )
    return table


def stream_table(rows: Sequence[StreamCost]) -> Table:
    """Tabulate streams."""
    title = f"BOT at {STREAM_RATE_RPS:g} requests a second, streamed through {STREAM_SERVICE}"
    headings = ("requests", "simulated h", "CPU s", "CPU us / request", "simulated / CPU")
    table = _table(title, *headings, "memory growth, MiB")
    for row in rows:
        table.add_row(
            f"{row.num_requests:,}",
            f"{row.simulated_s / 3600:.1f}",
            f"{row.cpu_s:.2f}",
            f"{1e6 * row.cpu_s / row.num_requests:.0f}",
            f"{row.simulated_s / row.cpu_s:,.0f}",
            f"{row.growth_bytes / 2**20:.1f}",
        )
    return table


def speed_table(rows: Sequence[Speed]) -> Table:
    """Tabulate the comparison with Vidur."""
    title = "The same BOT requests, Llama-2-7b on one A100, without prefix caching"
    headings = ("simulator", "requests / s", "requests", "simulated s", "CPU s", "simulated / CPU")
    table = _table(title, *headings, "note")
    for row in rows:
        table.add_row(
            row.simulator,
            f"{row.rate_rps:g}",
            f"{row.num_requests}",
            f"{row.simulated_s:.0f}",
            f"{row.cpu_s:.2f}",
            f"{row.simulated_s / row.cpu_s:,.0f}",
            row.note,
        )
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading)
    return table


if __name__ == "__main__":
    run_command(main)
