"""What confirming several finalists brings: paired choices from the same studies, simulated.

    python -m benchmarks.confirmation --seeds 20

Every study searches once. The choice by the search alone (the first), by the confirmations' mean
and by their worst are then judged under arrival orders that the study has not seen; all numbers are
relative to the default under the same orders, and all are simulated.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.comparison.statistics import Interval
from benchmarks.entry import run_command
from benchmarks.simulated_study import SERVICES, FreshOrders, make_study, write_rows
from scoot_ray.core.assignment import Role
from scoot_ray.core.confirmation import Repeats, confirmed
from scoot_ray.core.pareto import Contender, finalists, rank, recommend, reference_point
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.plan import Plan
from scoot_ray.rehearsal import rehearse

RESULTS = Path(__file__).parent / "results" / "confirmation.json"
NUM_FRESH_ORDERS = 20
CHOICES = ("first", "by mean", "by worst")


@dataclass(frozen=True)
class Choice:
    """Hold one choice of one study, and how it fares under fresh orders.

    Attributes:
        gain: Improvement of the mean over the default's mean.
        worst_gain: Improvement of the worst order over the default's worst.
    """

    service: str
    seed: int
    by: str
    gain: float
    worst_gain: float


def main(
    seeds: Annotated[int, typer.Option(min=1)] = 10,
    observations: Annotated[int, typer.Option(min=1)] = 30,
    algorithm: str = "random",
    output: Path = RESULTS,
) -> None:
    """Run a study of every service with every seed."""
    choices = []
    for service in SERVICES:
        orders = FreshOrders(make_study(service, 0), NUM_FRESH_ORDERS)
        for seed in range(seeds):
            started_s = time.perf_counter()
            search = {"seed": seed, "observations": observations, "algorithm": algorithm}
            study = make_study(service, seed, search=search)
            for by, config in choose(study, rehearse(Plan.of(study))).items():
                gains = orders.improvement(config), orders.worst_improvement(config)
                choices.append(Choice(service, seed, by, *gains))
            write_rows(output, choices, algorithm=algorithm, observations=observations)
            print(f"{service} seed {seed}: {time.perf_counter() - started_s:.0f} s", flush=True)
    Console().print(summary(choices))


def choose(study: Study, trials: Sequence[TrialRecord]) -> dict[str, Config]:
    """Return the configuration that each rule chooses."""
    first = recommend(trials, study.objectives, study.slo_limits)
    by_mean = confirmed(trials, study.objectives, study.slo_limits)
    assert first is not None
    assert by_mean is not None
    return {
        "first": first.record.config,
        "by mean": by_mean.record.config,
        "by worst": _by_worst(study, trials) or first.record.config,
    }


def _by_worst(study: Study, trials: Sequence[TrialRecord]) -> Config | None:
    limits, num = study.slo_limits, study.confirm.finalists
    repeated = [
        (record, Repeats.of(trials, record.config, Role.DEFAULT, Role.DRIFT, Role.CONFIRM))
        for record in (*finalists(trials, study.objectives, limits, num), *trials[:1])
    ]
    contenders = [Contender(r, t.worst(), t.worst()) for r, t in repeated if t.is_sound]
    defaults = [r for r in trials if r.role in (Role.DEFAULT, Role.DRIFT)]
    worst = TrialRecord(
        0, trials[0].config, trials[0].state, Repeats(tuple(defaults)).worst(), role=Role.DEFAULT
    )
    reference = reference_point([worst], study.objectives)
    if reference is None or not contenders:
        return None
    return rank(contenders, reference, study.objectives, limits)[0].record.config


def summary(choices: Sequence[Choice]) -> Table:
    """Tabulate means over the seeds, with 95 % intervals of the paired differences."""
    table = Table(title="Choices under fresh arrival orders (all numbers simulated)")
    for heading in ("service", "chosen by", "gain, mean", "against the first", "gain, worst order"):
        table.add_column(heading)
    table.add_column("against the first")
    for service in [*SERVICES, "all"]:
        here = [choice for choice in choices if service in (choice.service, "all")]
        first = [choice for choice in here if choice.by == "first"]
        for by in CHOICES:
            chosen = [choice for choice in here if choice.by == by]
            pairs = list(zip(chosen, first, strict=True))
            table.add_row(
                service,
                by,
                f"{np.mean([choice.gain for choice in chosen]):.1%}",
                f"{Interval.of([new.gain - old.gain for new, old in pairs]):+.2%}",
                f"{np.mean([choice.worst_gain for choice in chosen]):.1%}",
                f"{Interval.of([new.worst_gain - old.worst_gain for new, old in pairs]):+.2%}",
            )
    return table


if __name__ == "__main__":
    run_command(main)
