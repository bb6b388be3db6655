"""Studies on 8 to 1,024 GPUs, simulated: idle GPUs, lost work, when the searcher is too slow.

    python -m benchmarks.cluster_scale [--suggestions]

Everything but the suggestion times is simulated (`benchmarks/cluster_model.py`); they were measured
by `--suggestions`, which times `scoot` with histories of growing length, and are in the JSON file.

Pre-emption rates are those of the public traces of 4 x p3.2xlarge (V100) spot instances on AWS,
August 2023, of Wu et al., "Can't Be Late", NSDI 24 (github.com/skypilot-org/spot-traces,
preemption/4-node/aws-08-03-2023): lost instances by hours of instances that were up, 0.06 in
us-east-2a, 0.24 in us-west-2c, 0.46 in us-east-1f. Nodes of 8 GPUs are taken to be lost as often.

Work grows with the cluster: 4 trials per GPU. In one study they are one history, and a suggestion
takes time that grows with the cube of it; in studies of 32 trials it does not grow.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cluster_model import Conditions, Outcome, simulate
from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from benchmarks.simulated_study import make_study
from scoot_ray.core.objective import PRESETS
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from scoot_ray.plan import Plan
from searchers import make_optimizer

RESULTS = Path(__file__).parent / "results" / "cluster_scale.json"
GPUS = (8, 32, 128, 512, 1024)
RATES_PER_H = (0.0, 0.06, 0.24, 0.46)
USUAL_RATE_PER_H = 0.24
TRIALS_PER_GPU = 4  # 32 trials on 8 GPUs, about the paper's study
TRIALS_PER_STUDY = 32
STUDY_SLOTS = 4
SIZES = (1, 2, 4, 8)  # GPUs of a trial, equally often
REPLACEMENT_S = 300.0  # a cloud's node, an image of 15 GB, Ray
HEAD_CPUS = 8
CRASHING = 0.15  # of the trials
HISTORY_LENGTHS = (30, 100, 300, 1000)
NUM_TIMED = 3
OBJECTIVES = PRESETS["interactive"]


@dataclass(frozen=True)
class Layout:
    """One way to run as many trials as a cluster wants.

    Attributes:
        name: As printed.
        is_ahead: The next suggestion is computed while trials run.
        is_one_study: All trials belong to one study with as many slots as there is room.
    """

    name: str
    is_ahead: bool
    is_one_study: bool


# One study is asked when a slot is free, or ahead; many have 32 trials each, and are asked ahead.
ONE_BY_ONE = Layout("one study", is_ahead=False, is_one_study=True)
AHEAD = Layout("one, asked ahead", is_ahead=True, is_one_study=True)
MANY = Layout("many studies", is_ahead=True, is_one_study=False)


def main(
    suggestions: Annotated[
        bool, typer.Option("--suggestions", help="Time suggestions anew, some minutes.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1)] = 5,
    output: Path = RESULTS,
) -> None:
    """Print the tables of the simulation, and write them as JSON."""
    if suggestions or not output.exists():
        measured = measure_suggestions()
    else:
        measured = {int(n): s for n, s in json.loads(output.read_text())["suggestion_s"].items()}
    suggestion_s = interpolated(measured)
    scale = [
        {"layout": layout.name, "gpus": gpus, "preemptions_per_h": USUAL_RATE_PER_H}
        | average(layout, gpus, USUAL_RATE_PER_H, suggestion_s, seeds)
        for layout in (ONE_BY_ONE, AHEAD, MANY)
        for gpus in GPUS
    ]
    rates = [
        {"layout": MANY.name, "gpus": gpus, "preemptions_per_h": rate, "is_elastic": is_elastic}
        | average(MANY, gpus, rate, suggestion_s, seeds, is_elastic=is_elastic)
        for gpus in (8, 128, 1024)
        for is_elastic in (True, False)
        for rate in RATES_PER_H
    ]
    Console(width=110).print(
        table("Simulated: the searcher", scale), table("Simulated: nodes lost", rates)
    )
    write_result(output, simulated=True, suggestion_s=measured, scale=scale, rates=rates)


def average(
    layout: Layout,
    num_gpus: int,
    rate_per_h: float,
    suggestion_s: Callable[[int], float],
    seeds: int,
    *,
    is_elastic: bool = True,
) -> dict[str, Any]:
    """Return the mean outcome of a layout over some seeds."""
    conditions = Conditions(
        num_gpus=num_gpus,
        preemptions_per_h=rate_per_h,
        replacement_s=REPLACEMENT_S,
        is_elastic=is_elastic,
        head_cpus=HEAD_CPUS,
        suggestion_s=suggestion_s,
        is_ahead=layout.is_ahead,
    )
    num_trials = TRIALS_PER_GPU * num_gpus
    per_study = num_trials if layout.is_one_study else TRIALS_PER_STUDY
    slots = max(1, round(1.25 * num_gpus / np.mean(SIZES))) if layout.is_one_study else STUDY_SLOTS
    outcomes = []
    for seed in range(seeds):
        trials = make_trials(num_trials, seed)
        studies = [trials[n : n + per_study] for n in range(0, num_trials, per_study)]
        outcomes.append(simulate(conditions, studies, slots, seed))
    return {
        each.name: float(np.mean([getattr(outcome, each.name) for outcome in outcomes]))
        for each in fields(Outcome)
    }


def make_trials(number: int, seed: int) -> list[tuple[int, float]]:
    """Return GPUs and seconds of trials: an engine's start, then a load of 100 s, or a crash.

    Starts are log-normal with a median of 90 s; `CRASHING` of the trials end there.
    """
    rng = np.random.default_rng([seed, number])
    sizes = rng.choice(SIZES, number)
    starts_s = 90 * rng.lognormal(0, 0.4, number)
    loads_s = np.where(rng.random(number) < CRASHING, 0.0, 100 + rng.uniform(5, 40, number))
    return [(int(g), float(s)) for g, s in zip(sizes, starts_s + loads_s, strict=True)]


def measure_suggestions() -> dict[int, float]:
    """Return the median seconds of a suggestion, after so many trials."""
    return {number: _suggestion_s(number) for number in HISTORY_LENGTHS}


def interpolated(measured: Mapping[int, float]) -> Callable[[int], float]:
    """Return seconds by history length: straight between logarithms, flat before the first."""
    lengths = np.log(list(measured))
    seconds = np.log(list(measured.values()))
    slope = (seconds[-1] - seconds[-2]) / (lengths[-1] - lengths[-2])

    def seconds_after(num_finished: int) -> float:
        length = np.log(max(num_finished, 1))
        beyond = slope * max(0.0, length - lengths[-1])
        return float(np.exp(np.interp(length, lengths, seconds) + beyond))

    return seconds_after


def table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Tabulate outcomes: nodes lost an hour each, shares of GPU time, waits for suggestions."""
    shown = Table(title=title)
    for heading in ("layout", "order", "GPUs", "lost/h", "hours", "x ideal", "idle", "lost"):
        shown.add_column(heading, no_wrap=True)
    shown.add_column("wait, s", no_wrap=True)
    for row in rows:
        shown.add_row(
            row["layout"],
            "elastic" if row.get("is_elastic", True) else "fifo",
            str(row["gpus"]),
            f"{row['preemptions_per_h']:g}",
            f"{row['makespan_s'] / 3600:.2f}",
            f"{row['makespan_s'] / row['ideal_s']:.2f}",
            f"{row['idle_share']:.0%}",
            f"{row['lost_share']:.1%}",
            f"{row['mean_wait_s']:.1f}",
        )
    return shown


def _suggestion_s(num_trials: int) -> float:
    """Time suggestions for objectives that are smooth in the parameters, where 15 % crash."""
    space = Plan.of(make_study("bot-interactive", 0)).space
    rng = np.random.default_rng(num_trials)
    optimizer = make_optimizer("scoot", space, OBJECTIVES, seed=0)
    weights = rng.normal(size=(len(OBJECTIVES), len(space.names)))
    history: list[TrialRecord] = []
    taken_s: list[float] = []
    while len(taken_s) < NUM_TIMED:
        point = rng.random(len(space.names))
        config = space.decode(point) if history else dict(space.default)
        if history and rng.random() < CRASHING:
            history.append(TrialRecord(len(history), config, TrialState.INFEASIBLE, {}))
            continue
        values = np.exp(np.sin(3 * weights * point).sum(axis=1) + rng.normal(0, 0.03))
        metrics = {each.metric: float(v) for each, v in zip(OBJECTIVES, values, strict=True)}
        history.append(TrialRecord(len(history), config, TrialState.COMPLETE, metrics))
        if len(history) >= num_trials:
            began_s = time.perf_counter()
            optimizer.suggest(history, [], 1)
            taken_s.append(time.perf_counter() - began_s)
    return float(np.median(taken_s))


if __name__ == "__main__":
    run_command(main)
