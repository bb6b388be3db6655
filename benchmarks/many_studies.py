"""Many small studies submitted to one head: do they share its GPUs fairly?

    python -m benchmarks.many_studies [--studies 50] [--at-once 50]

A real Ray head with logical GPUs is started on this machine, and each study is a job of its own, as
`scoot submit` makes it; only their engines are simulated. Each runs one trial at a time, so a study
waits for GPUs from the end of one trial to the start of the next. A driver needs about 0.5 GB and
some seconds of a core to start: with `--at-once` only so many jobs are there at a time.

Ray tries a bundle that waits again after a pause that grows to a second, and bundles that were just
asked for go before it. With pauses of at most 100 ms, as in the manifests that we render, bundles
are served in turn. `--retry-ms 1000` is Ray's own.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from ray.job_submission import JobStatus
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from cluster.jobs import Jobs
from scoot_ray.core.journal import Journal
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord
from tests.ray_head import ray_head

RESULTS = Path(__file__).parent / "results" / "many_studies.json"
POLL_S = 2.0
RETRY_VARIABLE = "RAY_gcs_create_placement_group_retry_max_interval_ms"


@dataclass(frozen=True)
class Share:
    """Say what one study got of the cluster.

    Attributes:
        study: Its name.
        num_trials: Trials of it that ended.
        trials_per_min: From its first start to its last end.
        mean_wait_s: Between two of its trials.
        longest_wait_s: Likewise.
        share: GPU time that it held from its first start to its last end, over what it would have
            held if the studies that were between theirs had shared equally at every moment.
    """

    study: str
    num_trials: int
    trials_per_min: float
    mean_wait_s: float
    longest_wait_s: float
    share: float


def main(
    studies: Annotated[int, typer.Option(min=2)] = 50,
    at_once: Annotated[int, typer.Option(min=1, help="Jobs that are there at a time.")] = 50,
    num_gpus: Annotated[int, typer.Option(min=2, help="Logical GPUs of the head.")] = 8,
    observations: Annotated[int, typer.Option(min=2)] = 8,
    largest: Annotated[int, typer.Option(min=1, help="GPUs of the largest trial.")] = 2,
    retry_ms: Annotated[
        int, typer.Option(min=1, help="Ray's longest pause between tries of a bundle.")
    ] = 100,
    limit_s: Annotated[float, typer.Option(help="Give up after so long.")] = 7200.0,
    output: Path = RESULTS,
) -> None:
    """Submit the studies, wait for all, print how they shared the GPUs, and write it as JSON."""
    variables = {RETRY_VARIABLE: str(retry_ms)}
    with (
        tempfile.TemporaryDirectory(prefix="ms-", dir="/tmp") as name,
        ray_head(num_cpus=2 * num_gpus, num_gpus=num_gpus, variables=variables) as head,
    ):
        began_s = time.monotonic()
        jobs = Jobs.at(head.dashboard, None)
        wanted = [make_study(number, observations, largest) for number in range(studies)]
        run_all(jobs, wanted, Path(name), at_once, limit_s)
        took_s = time.monotonic() - began_s
        histories = {
            study.name: Journal(Path(name) / study.name / "journal.jsonl").read().trials
            for study in wanted
        }
    shares = shares_of(histories)
    summary = {
        "num_studies": studies,
        "at_once": at_once,
        "num_gpus": num_gpus,
        "largest": largest,
        "retry_ms": retry_ms,
        "took_s": took_s,
        "gpus_held": gpus_held(histories, num_gpus),
        "fairness_gpus": fairness([share.share for share in shares]),
        "fairness_throughput": fairness([share.trials_per_min for share in shares]),
    }
    Console().print(table(shares, summary))
    write_result(output, **summary, shares=[asdict(share) for share in shares])


def make_study(number: int, observations: int, largest: int) -> Study:
    """Return a study whose trials take 1 to `largest` GPUs, a power of two, and some seconds."""
    sizes = {"values": [2**n for n in range(largest.bit_length())]}
    data: dict[str, Any] = {
        "name": f"service-{number:02}",
        "engine": {
            "kind": "simulated",
            "model": "meta-llama/Llama-2-7b-hf",
            "fixed": {"max_model_len": 4096},
        },
        "service": {"num_gpus": largest, "accelerator": "A100-80GB"},
        "workload": {"trace": "synthetic:bot", "request_rate_rps": 6, "duration_s": 20},
        "space": {"parameters": {"tensor_parallel_size": sizes}},
        "search": {"algorithm": "random", "observations": observations, "seed": number},
        "confirm": {"repeats": 0},
        "drift": {"repeats": 0},
        "early_stop": False,
        "simulator": {"pace": 0.1},
    }
    return parse_study(data)


def run_all(
    jobs: Jobs, studies: Sequence[Study], folder: Path, at_once: int, limit_s: float
) -> None:
    """Submit studies in turn, and wait until all have ended.

    Raises:
        RuntimeError: If one fails, or they take too long.
    """
    deadline_s = time.monotonic() + limit_s
    waiting, running = list(studies), list[str]()
    while waiting or running:
        while waiting and len(running) < at_once:
            study = waiting.pop(0)
            output = str(folder / study.name)
            running.append(jobs.submit(study, ["--output", output], {}, output))
        for name in list(running):
            details = jobs.details(name)
            if details.status.is_terminal():
                if details.status != JobStatus.SUCCEEDED:
                    raise RuntimeError(f"{name}: {details.message}\n{jobs.logs(name)[-2000:]}")
                running.remove(name)
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{len(waiting) + len(running)} studies are left at {limit_s:g} s.")
        time.sleep(POLL_S)
    sys.stdout.write(f"{len(studies)} studies have ended.\n")


def shares_of(histories: dict[str, tuple[TrialRecord, ...]]) -> list[Share]:
    """Return what each study got, by its trials."""
    equal_gpu_s = dict.fromkeys(histories, 0.0)
    lives = {name: _life(trials) for name, trials in histories.items()}
    every = [record for trials in histories.values() for record in trials]
    times_s = sorted({t for r in every for t in (r.started_at_s, r.ended_at_s)})
    for begin_s, end_s in pairwise(times_s):
        held = sum(r.num_gpus for r in every if r.started_at_s <= begin_s and r.ended_at_s >= end_s)
        alive = [name for name, (first, last) in lives.items() if first <= begin_s < last]
        for name in alive:
            equal_gpu_s[name] += held * (end_s - begin_s) / len(alive)
    return [_share(name, trials, equal_gpu_s[name]) for name, trials in histories.items()]


def gpus_held(histories: dict[str, tuple[TrialRecord, ...]], num_gpus: int) -> float:
    """Return the share of the GPU time, from the first start to the last end, that trials held."""
    every = [record for trials in histories.values() for record in trials]
    span_s = max(r.ended_at_s for r in every) - min(r.started_at_s for r in every)
    return sum(r.num_gpus * (r.ended_at_s - r.started_at_s) for r in every) / (num_gpus * span_s)


def fairness(amounts: Sequence[float]) -> float:
    """Return Jain's index: 1 if all have the same, 1/n if one has everything."""
    squares = sum(amount**2 for amount in amounts)
    return sum(amounts) ** 2 / (len(amounts) * squares) if squares else 0.0


def table(shares: Sequence[Share], summary: dict[str, Any]) -> Table:
    """Tabulate the extremes and the middle."""
    title = (
        f"{summary['num_studies']} studies (simulated engines), at most {summary['at_once']} at "
        f"once, on {summary['num_gpus']} logical GPUs, trials of up to {summary['largest']}: "
        f"{summary['took_s']:.0f} s, GPUs held "
        f"{summary['gpus_held']:.0%}, Jain's index {summary['fairness_gpus']:.2f} of shares of GPU "
        f"time, {summary['fairness_throughput']:.2f} of throughput"
    )
    shown = Table(title=title)
    for heading in ("of a study", "least", "median", "most"):
        shown.add_column(heading)
    for name in ("num_trials", "trials_per_min", "mean_wait_s", "longest_wait_s", "share"):
        values = sorted(getattr(share, name) for share in shares)
        extremes = (values[0], values[len(values) // 2], values[-1])
        shown.add_row(name, *(f"{value:.2f}" for value in extremes))
    return shown


def _life(trials: Sequence[TrialRecord]) -> tuple[float, float]:
    return min(r.started_at_s for r in trials), max(r.ended_at_s for r in trials)


def _share(name: str, trials: Sequence[TrialRecord], equal_gpu_s: float) -> Share:
    in_order = sorted(trials, key=lambda record: record.started_at_s)
    first_s, last_s = _life(trials)
    waits_s = [after.started_at_s - before.ended_at_s for before, after in pairwise(in_order)]
    held_gpu_s = sum(r.num_gpus * (r.ended_at_s - r.started_at_s) for r in in_order)
    return Share(
        study=name,
        num_trials=len(in_order),
        trials_per_min=60 * len(in_order) / (last_s - first_s),
        mean_wait_s=sum(waits_s) / max(1, len(waits_s)),
        longest_wait_s=max(waits_s, default=0.0),
        share=held_gpu_s / equal_gpu_s,
    )


if __name__ == "__main__":
    run_command(main)
