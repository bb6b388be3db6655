"""What ending hopeless tests early saves, and what it costs: paired studies on the simulator.

    python -m benchmarks.early_stop --seeds 10

Each study is run twice with the same seed, with and without early stop. Load time is the virtual
time of sending and draining; quality is what the recommended configuration brings over the default
under arrival orders that neither study has seen. Every number is simulated. A test that was ended
early is run again to its end, to see that nothing good was cut off.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.comparison.statistics import LEAST_BAND, Duel, Interval
from benchmarks.entry import run_command
from benchmarks.simulated_study import (
    SERVICES,
    FreshOrders,
    load_time_s,
    make_study,
    write_rows,
)
from scoot_ray.core.assignment import Role
from scoot_ray.core.confirmation import confirmed
from scoot_ray.core.metrics import RATES
from scoot_ray.core.pareto import finalists
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.plan import Plan
from scoot_ray.rehearsal import rehearse
from trainables.backend import make_stress_test

RESULTS = Path(__file__).parent / "results" / "early_stop.json"
NUM_FRESH_ORDERS = 10


@dataclass(frozen=True)
class Pair:
    """Hold what two studies of one seed came to.

    Attributes:
        whole_s: Load time of the search without early stop.
        early_s: The same with it.
        whole_study_s: Load time of the whole study without, confirmations and drift included.
        early_study_s: The same with it.
        whole_gain: Improvement by the recommended configuration without, under fresh orders.
        early_gain: The same with it.
        num_ended: Tests that were ended early.
        num_broken: Bounds, of any metric, that the whole test broke: it was faster than supposed.
        num_missed: Tests that would have been finalists after all; hardly any should be.
        bound_errors: Logarithms of the bound over what the whole test measured, of each objective
            of each test that was ended early.
        estimate_errors: The same of the estimate.
    """

    service: str
    seed: int
    whole_s: float
    early_s: float
    whole_study_s: float
    early_study_s: float
    whole_gain: float
    early_gain: float
    num_ended: int
    num_broken: int
    num_missed: int
    bound_errors: Sequence[float] = field(repr=False)
    estimate_errors: Sequence[float] = field(repr=False)


def main(
    seeds: Annotated[int, typer.Option(min=1)] = 10,
    observations: Annotated[int, typer.Option(min=1)] = 30,
    algorithm: str = "scoot",
    output: Path = RESULTS,
) -> None:
    """Run every service with every seed, with early stop and without, on all cores."""
    search = {"observations": observations, "algorithm": algorithm}
    pairs = []
    # Forked processes would share PyTorch's threads with their parent.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        running = [
            pool.submit(compare, service, seed, search)
            for service in SERVICES
            for seed in range(seeds)
        ]
        for ended in running:
            pairs.append(ended.result())
            write_rows(output, pairs, algorithm=algorithm, observations=observations)
            print(pairs[-1], flush=True)
    Console(width=170).print(summary(pairs))


@cache
def orders_of(service: str) -> FreshOrders:
    """Return the judge of a service, which remembers what it has judged."""
    return FreshOrders(make_study(service, 0), NUM_FRESH_ORDERS)


def compare(service: str, seed: int, search: Mapping[str, Any]) -> Pair:
    """Run one study twice."""
    search = {**search, "seed": seed}
    orders = orders_of(service)
    study = make_study(service, seed, search=search, early_stop=True)
    whole = rehearse(Plan.of(make_study(service, seed, search=search, early_stop=False)))
    early = rehearse(Plan.of(study))
    return Pair(
        service=service,
        seed=seed,
        whole_s=load_time_s(searched(whole)),
        early_s=load_time_s(searched(early)),
        whole_study_s=load_time_s(whole),
        early_study_s=load_time_s(early),
        whole_gain=gain(study, whole, orders),
        early_gain=gain(study, early, orders),
        num_ended=sum(record.is_bound for record in early),
        **check(study, early),
    )


def searched(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Keep the tests of the search."""
    return [record for record in trials if record.role is Role.SEARCH]


def gain(study: Study, trials: Sequence[TrialRecord], orders: FreshOrders) -> float:
    """Return what the recommended configuration brings under fresh orders."""
    recommendation = confirmed(trials, study.objectives, study.slo_limits)
    return orders.improvement(recommendation.record.config) if recommendation else 0.0


def check(study: Study, trials: Sequence[TrialRecord]) -> dict[str, Any]:
    """Run the tests that were ended early to their ends; return what `Pair` holds of that."""
    trace, stress_test = Plan.of(study).trace, make_stress_test(study)
    num_broken = num_missed = 0
    errors: dict[str, list[float]] = {"bound": [], "estimate": []}
    for record in (r for r in trials if r.is_bound):
        outcome = stress_test.run(record.config, trace, record.seed)
        if not outcome.metrics:
            continue
        num_broken += sum(
            metric in outcome.metrics and _is_broken(metric, bound, outcome.metrics[metric])
            for metric, bound in record.metrics.items()
        )
        for metric in (o.metric for o in study.objectives):
            for what, told in (("bound", record.metrics), ("estimate", record.estimate)):
                if metric in told:
                    errors[what].append(float(np.log(told[metric] / outcome.metrics[metric])))
        whole = TrialRecord(record.number, record.config, outcome.state, outcome.metrics)
        before = [r for r in trials if r.number < record.number]
        best = finalists(
            [*before, whole], study.objectives, study.slo_limits, study.confirm.finalists
        )
        num_missed += whole in best
    return {
        "num_broken": num_broken,
        "num_missed": num_missed,
        "bound_errors": errors["bound"],
        "estimate_errors": errors["estimate"],
    }


def _is_broken(metric: str, bound: float, value: float) -> bool:
    slack = 1e-9 * abs(bound)
    return value > bound + slack if metric in RATES else value < bound - slack


def summary(pairs: Sequence[Pair]) -> Table:
    """Tabulate means over the seeds, with 95 % intervals of the paired differences."""
    table = Table(title="Early stop on the simulator (all numbers simulated), means over seeds")
    for heading in (
        "service",
        "load time saved, search",
        "of all seconds",
        "whole study",
        "ended early",
        "gain without",
        "gain with",
        "difference (paired)",
        "better / equal / worse, p",
        "bounds broken",
        "finalists lost",
        "bound off by, estimate off by",
    ):
        table.add_column(heading)
    for service in [*SERVICES, "all"]:
        chosen = [pair for pair in pairs if service in (pair.service, "all")]
        differences = np.array([pair.early_gain - pair.whole_gain for pair in chosen])
        duel = Duel.of(differences, differences, LEAST_BAND)
        table.add_row(
            service,
            f"{Interval.of([1 - pair.early_s / pair.whole_s for pair in chosen]):+.1%}",
            f"{1 - sum(p.early_s for p in chosen) / sum(p.whole_s for p in chosen):.1%}",
            f"{Interval.of([1 - pair.early_study_s / pair.whole_study_s for pair in chosen]):+.1%}",
            f"{np.mean([pair.num_ended for pair in chosen]):.1f}",
            f"{np.mean([pair.whole_gain for pair in chosen]):.1%}",
            f"{np.mean([pair.early_gain for pair in chosen]):.1%}",
            f"{duel.difference:+.1%}",
            f"{duel.wins} / {duel.ties} / {duel.defeats}, {duel.p_value:.2g}",
            str(sum(pair.num_broken for pair in chosen)),
            str(sum(pair.num_missed for pair in chosen)),
            f"{_off_by([e for p in chosen for e in p.bound_errors])}, "
            f"{_off_by([e for p in chosen for e in p.estimate_errors])}",
        )
    return table


def _off_by(errors: Sequence[float]) -> str:
    """Return the root mean square of logarithms as a factor."""
    return f"{np.exp(np.sqrt(np.mean(np.square(errors)))):.2f}x" if len(errors) else "-"


if __name__ == "__main__":
    run_command(main)
