"""Search algorithms compared on engines in closed form: many services, paired seeds, in minutes.

    python -m benchmarks.analytic scoot scoot_paper random --services 6 --seeds 10

A number is the share of the best improvement known (by 14,000 noiseless evaluations) that the
search found, in percent: for one objective the relative gain over the default of the configuration
that measured best, for two the hypervolume that the measured front dominates below the default,
both judged without noise. Services with numbers below 100 are for development; those from 100 on
are held out.
"""

import heapq
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pymoo.indicators.hv import HV
from rich.console import Console
from rich.table import Table

from benchmarks.analytic_engine import Service
from benchmarks.comparison.statistics import Interval
from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from scoot_ray.core.assignment import Role, trial_seed
from scoot_ray.core.objective import losses
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import is_nondominated
from scoot_ray.core.sections import Mode
from scoot_ray.core.space import Config, FloatArray, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer, those_of
from searchers.initial_design import draw_valid, sobol_stream
from searchers.log_space import log_space
from searchers.mutation import mutate
from searchers.pace import PACES, Searched

OBJECTIVES = ("interactive", "online", "offline")
NUM_GLOBAL, NUM_LOCAL, NUM_ROUNDS = 2000, 400, 30


@dataclass(frozen=True)
class Run:
    """Hold what one search came to.

    Attributes:
        service: Its objective and number.
        halfway: Share of the best improvement known after half of the observations.
        final: The same after all of them.
        num_infeasible: Trials that crashed.
        suggestion_s: 95th percentile of the time of a suggestion.
    """

    algorithm: str
    service: str
    seed: int
    halfway: float
    final: float
    num_infeasible: int
    suggestion_s: float


def main(
    algorithms: list[str],
    services: Annotated[int, typer.Option(min=1, help="of each kind of objective")] = 2,
    first: Annotated[int, typer.Option(help="number of the first service")] = 0,
    seeds: Annotated[int, typer.Option(min=1)] = 10,
    observations: Annotated[int, typer.Option(min=2)] = 30,
    parallelism: Annotated[int, typer.Option(min=1, help="trials at a time")] = 1,
    mode: Annotated[Mode, typer.Option(help="when slots are filled")] = "asynchronous",
    output: Annotated[Path | None, typer.Option(help="JSON with every run")] = None,
) -> None:
    """Run every algorithm on every service with every seed."""
    numbers = range(first, first + services)
    drawn = [Service.draw(number, name) for name in OBJECTIVES for number in numbers]
    runs = [
        search(algorithm, service, seed, observations, parallelism, mode)
        for service in drawn
        for algorithm in algorithms
        for seed in range(seeds)
    ]
    Console().print(summary(runs, algorithms))
    for other in algorithms[1:]:
        print(paired(runs, algorithms[0], other))
    if output:
        found = [asdict(run) for run in runs]
        write_result(output, observations=observations, parallelism=parallelism, runs=found)


def search(
    algorithm: str,
    service: Service,
    seed: int,
    observations: int,
    parallelism: int = 1,
    mode: str = "asynchronous",
) -> Run:
    """Search one service with some trials at a time, which take half as long up to as long again.

    With one at a time it is one trial after the other.
    """
    pace = PACES[mode](parallelism)
    options = those_of(algorithm, batch_size=pace.batch_size)
    optimizer = make_optimizer(algorithm, service.space, service.objectives, seed=seed, **options)
    durations = np.random.default_rng([seed, 1])
    history: list[TrialRecord] = []
    running: list[tuple[float, int, dict[str, Any]]] = []  # when it ends, number, configuration
    now = 0.0
    took_s = []
    num_started = num_known = 0
    handed_out: list[dict[str, Any]] = []
    while len(history) <= observations:
        while len(running) < parallelism and num_started <= observations:
            if not handed_out:
                pending = tuple(config for _, _, config in running)
                wanted = observations + 1 - num_started
                searched = Searched(tuple(history), pending, (), wanted, num_known)
                started_s = time.perf_counter()
                handed_out = pace.suggest(optimizer, searched)
                took_s.append(time.perf_counter() - started_s)
                num_known = len(history)
            if not handed_out:
                break
            ends = now + durations.uniform(0.5, 1.5)
            heapq.heappush(running, (ends, num_started, handed_out.pop(0)))
            num_started += 1
        now, number, config = heapq.heappop(running)
        history.append(measure(service, number, config, trial_seed(seed, number)))
    return Run(
        algorithm,
        f"{service.objective} {service.seed}",
        seed,
        share(service, history[: 1 + observations // 2]),
        share(service, history),
        sum(record.state is TrialState.INFEASIBLE for record in history),
        float(np.quantile(took_s, 0.95)),
    )


def measure(service: Service, number: int, config: dict[str, Any], seed: int) -> TrialRecord:
    """Measure a configuration once, with noise."""
    metrics = service.measure(config, np.random.default_rng(seed))
    role = Role.SEARCH if number else Role.DEFAULT
    state = TrialState.INFEASIBLE if metrics is None else TrialState.COMPLETE
    return TrialRecord(number, config, state, metrics or {}, role=role)


def share(service: Service, history: Sequence[TrialRecord]) -> float:
    """Return the share of the best improvement known that a search found, in percent."""
    complete = [record for record in history if record.state is TrialState.COMPLETE]
    points = np.array([losses(service.objectives, record.metrics) for record in complete])
    front = [complete[i].config for i in np.flatnonzero(is_nondominated(points))]
    return 100.0 * improvement(service, front) / best_improvement(service)


def improvement(service: Service, configs: Sequence[Config]) -> float:
    """Return the noiseless improvement over the default: relative gain or hypervolume."""
    default = _losses(service, service.space.default)
    assert default is not None, "services are drawn so that the default survives"
    rows = [_losses(service, config) for config in configs]
    scaled = np.array([row for row in rows if row is not None]) / np.abs(default)
    return float(HV(ref_point=np.sign(default))(scaled))


@cache
def best_improvement(service: Service) -> float:
    """Search a service with thousands of noiseless evaluations, by mutation of the front."""
    rng = np.random.default_rng(0)
    space = log_space(service.space)
    pool = draw_valid(space, sobol_stream(space.dim, 0), NUM_GLOBAL, frozenset())
    pool.append(dict(space.default))
    for _ in range(NUM_ROUNDS):
        pool = _front(service, pool)
        pool += [_mutated(space, pool[rng.integers(len(pool))], rng) for _ in range(NUM_LOCAL)]
    return improvement(service, _front(service, pool))


def _front(service: Service, pool: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    measured = [(config, _losses(service, config)) for config in pool]
    feasible = [(config, row) for config, row in measured if row is not None]
    on_front = is_nondominated(np.array([row for _, row in feasible]))
    return [config for (config, _), keep in zip(feasible, on_front, strict=True) if keep]


def _mutated(
    space: SearchSpace, config: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    for _ in range(100):
        point = space.encode(config)
        child = space.decode(mutate(space, point[None], rng, 2.0)[0])
        if space.is_valid(child):
            return child
    return dict(config)


def _losses(service: Service, config: Config) -> FloatArray | None:
    metrics = service.measure(config)
    return None if metrics is None else np.array(losses(service.objectives, metrics))


def summary(runs: Sequence[Run], algorithms: Sequence[str]) -> Table:
    """Tabulate means over the seeds, and over everything with a 95 % interval."""
    table = Table(title="Share of the best improvement known, %: halfway / at the end (crashes)")
    table.add_column("service")
    for algorithm in algorithms:
        table.add_column(algorithm, justify="right")
    for service in dict.fromkeys(run.service for run in runs):
        cells = [[r for r in runs if (r.service, r.algorithm) == (service, a)] for a in algorithms]
        table.add_row(service, *[_cell(chosen) for chosen in cells])
    everything = [[r for r in runs if r.algorithm == a] for a in algorithms]
    table.add_section()
    table.add_row("all", *[_cell(chosen) for chosen in everything])
    slowest = [np.quantile([r.suggestion_s for r in chosen], 0.95) for chosen in everything]
    table.add_row("s / suggestion, p95", *[f"{value:.2f}" for value in slowest])
    return table


def paired(runs: Sequence[Run], algorithm: str, other: str) -> str:
    """Compare two algorithms run by run, with the interval of the mean difference."""
    finals = [
        np.array([run.final for run in runs if run.algorithm == name])
        for name in (algorithm, other)
    ]
    difference = finals[0] - finals[1]
    wins, defeats = (difference > 1.0).sum(), (difference < -1.0).sum()
    return (
        f"{algorithm} - {other}: {Interval.of(difference):+.1f} points; "
        f"{wins} won, {len(difference) - wins - defeats} within a point, {defeats} lost"
    )


def _cell(runs: Sequence[Run]) -> str:
    halfway, final = (np.mean([getattr(r, name) for r in runs]) for name in ("halfway", "final"))
    return f"{halfway:.0f} / {final:.0f} ({np.mean([r.num_infeasible for r in runs]):.1f})"


if __name__ == "__main__":
    run_command(main)
