"""The load client against a server whose timing is known, and other clients beside it.

    python -m benchmarks.load_client [--guidellm-python PY] [--vllm-python PY] [--tokenizer DIR]

Every client is a program of its own, started and watched in the same way, one after another, with
64 output tokens a request. Measured from outside: processor time of the whole process tree from the
first request to the last answer, and the seconds that a run takes beyond that. What the client says
of TTFT and TPOT is held against what the server wrote down. Ours is then driven at rising rates
until it no longer keeps its schedule. About three minutes for ours and the plain loop.

GuideLLM 0.8.1 wants an environment of its own: `python3 -m venv DIR`, then `DIR/bin/pip install
guidellm==0.8.1`.
Both of the others want a tokenizer: `make runs/tiny-llama/config.json` writes one.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from benchmarks.load_clients import ROOT, Client, GuideLlm, Own, Server, VllmBench
from benchmarks.result_file import write_result

RESULTS = Path(__file__).parent / "results" / "load_client.json"
PORT = 18_765
RATE_RPS, HIGH_RATE_RPS = 20.0, 50.0
RISING_RPS = (100.0, 150.0, 200.0, 250.0, 300.0, 400.0, 500.0)
LAG_TARGET_S = 0.005
WATCH_S = 0.1
LIMIT_S = 240.0


@dataclass(frozen=True)
class Measured:
    """Hold one run of one client; times in seconds, errors are what it saw less the truth.

    Attributes:
        client: Its name.
        rate_rps: Requests per second.
        num_requests: Of the run.
        cpu_per_request_s: Processor time of its processes while the load ran.
        lag_p99_s: Of sending behind the schedule; None if it does not tell.
        ttft_error_s: Of the mean.
        tpot_error_s: Of the mean.
        overhead_s: Seconds before the first request and after the last answer.
    """

    client: str
    rate_rps: float
    num_requests: int
    cpu_per_request_s: float
    lag_p99_s: float | None
    ttft_error_s: float
    tpot_error_s: float
    overhead_s: float


@contextmanager
def timing_server(folder: Path) -> Iterator[Server]:
    """Run the server, on a port and on a Unix socket."""
    server = Server(f"http://127.0.0.1:{PORT}", folder / "s")
    argv = [sys.executable, "-m", "benchmarks.timing_server", "--port", str(PORT)]
    with subprocess.Popen([*argv, "--uds", str(server.uds)], cwd=ROOT) as process:
        try:
            while not server.uds.exists():
                time.sleep(WATCH_S)
            yield server
        finally:
            process.terminate()


def ask(server: Server, path: str, method: str = "GET") -> Any:
    """Ask the server for what it wrote down."""
    request = urllib.request.Request(server.url + path, method=method)  # noqa: S310, our own server
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        return json.loads(reply.read())


def measure(client: Client, server: Server, rate_rps: float, duration_s: float) -> Measured:
    """Run one client once.

    Raises:
        ValueError: If it ends badly or takes too long.
    """
    num = int(rate_rps * duration_s)
    ask(server, "/records", "DELETE")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output.txt"
        command = client.command(server, rate_rps, num, Path(folder))
        started_s = time.perf_counter()
        with (
            output.open("w") as file,
            subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=client.environment(), cwd=folder
            ) as process,
        ):
            cpu_s = watch(process, server, num)
        wall_s = time.perf_counter() - started_s
        text = output.read_text(errors="replace")
        if process.returncode != 0:
            raise ValueError(f"{client.name} ended with {process.returncode}: {text[-500:]}")
        seen = client.seen(text, Path(folder))
    # Some clients try the server with a request before the load.
    sent = sorted(ask(server, "/records")["finished"], key=lambda one: one["received_s"])[-num:]
    ttft_s = np.mean([one["first_s"] - one["received_s"] for one in sent])
    tpot_s = np.mean([(one["last_s"] - one["first_s"]) / (one["num_tokens"] - 1) for one in sent])
    load_s = max(one["last_s"] for one in sent) - sent[0]["received_s"]
    return Measured(
        client.name,
        rate_rps,
        num,
        cpu_s / num,
        seen.lag_p99_s,
        seen.ttft_mean_s - float(ttft_s),
        seen.tpot_mean_s - float(tpot_s),
        wall_s - load_s,
    )


def watch(process: subprocess.Popen[bytes], server: Server, num: int) -> float:
    """Return the processor time of a process and its children while the load ran."""
    before_s = after_s = 0.0
    limit_s = time.perf_counter() + LIMIT_S
    root = psutil.Process(process.pid)
    while process.poll() is None:
        if time.perf_counter() > limit_s:
            process.kill()
            raise ValueError(f"it took more than {LIMIT_S:.0f} s")
        progress, used_s = ask(server, "/progress"), cpu_time(root)
        if progress["num_received"] <= 1:  # a trial request is not the load
            before_s = used_s
        if used_s > 0 and (progress["num_finished"] < num or after_s == 0.0):
            after_s = used_s
        time.sleep(WATCH_S)
    return after_s - before_s


def cpu_time(root: psutil.Process) -> float:
    """Return user and system time of a process and all below it; 0 once it has ended."""
    total_s = 0.0
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                times = process.cpu_times()
                total_s += times.user + times.system
    return total_s


def highest_rate(client: Client, server: Server, duration_s: float) -> list[Measured]:
    """Drive a client at rising rates, until it is late; the last run is the late one."""
    runs = []
    for rate_rps in RISING_RPS:
        runs.append(measure(client, server, rate_rps, duration_s))
        lag_s = runs[-1].lag_p99_s
        if lag_s is None or lag_s > LAG_TARGET_S:
            break
    return runs


def print_table(console: Console, runs: Sequence[Measured]) -> None:
    """Print all runs; milliseconds."""
    table = Table(title="Load clients, 64 output tokens a request (ms but for the overhead)")
    for name in ("client", "req/s", "CPU/request", "lag p99", "TTFT error", "TPOT error"):
        table.add_column(name, justify="left" if name == "client" else "right")
    table.add_column("overhead, s", justify="right")
    for run in runs:
        lag = "-" if run.lag_p99_s is None else f"{1e3 * run.lag_p99_s:.1f}"
        table.add_row(
            run.client,
            f"{run.rate_rps:g}",
            f"{1e3 * run.cpu_per_request_s:.2f}",
            lag,
            f"{1e3 * run.ttft_error_s:+.2f}",
            f"{1e3 * run.tpot_error_s:+.3f}",
            f"{run.overhead_s:.1f}",
        )
    console.print(table)


def main(
    guidellm_python: Annotated[Path | None, typer.Option(help="A Python with GuideLLM.")] = None,
    vllm_python: Annotated[Path | None, typer.Option(help="A Python with vLLM.")] = None,
    tokenizer: Annotated[Path, typer.Option(help="A tokenizer's folder.")] = Path(
        "runs/tiny-llama"
    ),
    duration: Annotated[float, typer.Option(help="Seconds of each load.")] = 20.0,
    output: Annotated[Path, typer.Option(help="Where the JSON goes.")] = RESULTS,
) -> None:
    """Measure the load clients side by side and write the table."""
    console = Console(width=110)
    ours = Own("ours, Unix socket", "ours", on_socket=True)
    clients: list[Client] = [
        ours,
        Own("ours, TCP", "ours", on_socket=False),
        Own("plain aiohttp loop", "plain", on_socket=False),
    ]
    others = (("GuideLLM", guidellm_python, GuideLlm), ("vLLM", vllm_python, VllmBench))
    for name, python, make in others:
        if python is None or not (tokenizer / "tokenizer.json").exists():
            option = f"--{name.lower()}-python"
            console.print(f"{name} is left out: it needs {option} and --tokenizer.")
        else:
            clients.append(make(python.absolute(), tokenizer.resolve()))
    with tempfile.TemporaryDirectory() as folder, timing_server(Path(folder)) as server:
        runs = []
        loads = [(client, RATE_RPS) for client in clients]
        loads += [(client, HIGH_RATE_RPS) for client in clients if isinstance(client, Own)]
        for client, rate_rps in loads:
            console.print(f"{client.name}, {rate_rps:g} requests/s ...")
            try:
                runs.append(measure(client, server, rate_rps, duration))
            except ValueError as error:
                console.print(f"It is left out of the table: {error}")
        rising = highest_rate(ours, server, duration / 2)
    print_table(console, [*runs, *rising])
    kept = [run.rate_rps for run in rising if (run.lag_p99_s or 0.0) <= LAG_TARGET_S]
    highest_rps = max(kept, default=HIGH_RATE_RPS)
    console.print(
        f"The highest rate tried at which p99 of the lag is at most {1e3 * LAG_TARGET_S:g} ms: "
        f"{highest_rps:g} requests/s."
    )
    found = [asdict(run) for run in [*runs, *rising]]
    write_result(output, highest_rate_rps=highest_rps, runs=found)


if __name__ == "__main__":
    run_command(main)
