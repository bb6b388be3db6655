"""How much trials on one node disturb each other: the same stress test alone and beside others.

    python -m benchmarks.neighbours examples/vllm_cpu.yaml --rounds 3

Each round measures the study's default configuration, changed by --set, once alone and once with
`--trials` started together, each on GPUs of its own as Ray would hand them out. All tests of a
round have the same arrival order, which changes from round to round.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from scoot_ray.cli.options import Settings, parse_settings
from scoot_ray.core.errors import EngineError
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, load_study
from scoot_ray.plan import Plan
from trainables.backend import make_stress_test

METRICS = ("throughput_rps", "ttft_mean_s", "ttft_p99_s", "tpot_mean_s", "latency_p95_s")
LAG = "schedule_lag_p99_s"

Measured = dict[str, float]


def main(
    study_file: Path,
    settings: Settings = None,
    trials: Annotated[int, typer.Option(min=2, help="Tests at once.")] = 2,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    output: Annotated[Path | None, typer.Option(help="Write the metrics here, as JSON.")] = None,
) -> None:
    """Print what the neighbours change."""
    study = load_study(study_file)
    config = {**Plan.of(study).space.default, **parse_settings(settings)}
    alone: list[Measured] = []
    beside: list[list[Measured]] = []
    for seed in range(rounds):
        alone += measure(study_file, config, 1, seed)
        beside.append(measure(study_file, config, trials, seed))
    Console(width=120).print(summary(study, alone, beside))
    if output is not None:
        write_result(output, study=study.name, config=config, alone=alone, beside=beside)


def measure(study_file: Path, config: Config, trials: int, seed: int) -> list[Measured]:
    """Run `trials` equal tests side by side, each in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(trials, mp_context=spawn, max_tasks_per_child=1) as pool:
        tests = [pool.submit(run_trial, study_file, config, i, seed) for i in range(trials)]
        return [test.result() for test in tests]


def run_trial(study_file: Path, config: Config, index: int, seed: int) -> Measured:
    """Measure on the GPUs that the trial with this index would hold.

    Raises:
        EngineError: If the test does not complete, with the reason.
    """
    plan = Plan.of(load_study(study_file))
    num_gpus = plan.num_gpus_of(config)
    held = range(index * num_gpus, (index + 1) * num_gpus)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, held))
    outcome = make_stress_test(plan.study).run(config, plan.trace, seed)
    if outcome.failure:
        raise EngineError(f"The test of {config} ended {outcome.state}: {outcome.failure.message}")
    return {name: outcome.metrics[name] for name in (*METRICS, LAG)}


def summary(study: Study, alone: Sequence[Measured], beside: Sequence[Sequence[Measured]]) -> Table:
    """Tabulate the mean over the tests, and the least and the most of them."""
    title = f"{study.name}: {len(beside[0])} trials side by side, {len(alone)} rounds"
    table = Table("metric", "alone", "beside others", "factor", title=title)
    for name in (*METRICS, LAG):
        single = [measured[name] for measured in alone]
        shared = [measured[name] for others in beside for measured in others]
        table.add_row(name, _range(single), _range(shared), f"{mean(shared) / mean(single):.2g}")
    return table


def _range(values: Sequence[float]) -> str:
    return f"{mean(values):.3g} ({min(values):.3g} to {max(values):.3g})"


if __name__ == "__main__":
    run_command(main)
