"""What loads of equal content bring: noise, and paired searches; all numbers are simulated.

    python -m benchmarks.arrivals --seeds 10

A test of a plain Poisson process carries as many requests as happen to come, of sizes as happen to
be drawn; ours carry what was asked for (`traces.arrivals`). Both search the same services, and what
they find is judged under plain Poisson processes that neither has seen.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.comparison.algorithms import ALGORITHMS
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.replay import JUDGE_SEEDS, judged
from benchmarks.comparison.run import Task
from benchmarks.comparison.search import search
from benchmarks.comparison.simulated import AZURE_TRACE, SimulatedService, simulated_services
from benchmarks.entry import run_command
from benchmarks.paired_searches import SERVICES, share_table
from benchmarks.result_file import write_result
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import Request
from scoot_ray.core.space import Config
from searchers.initial_design import InitialDesign
from searchers.log_space import log_space
from traces.conversations import with_conversations
from traces.selection import fitting, select
from trainables.backend import make_stress_test

RESULTS = Path(__file__).parent / "results" / "arrivals.json"
NOISE_SEEDS = tuple(range(2_000_001, 2_000_025))
NUM_CONFIGS = 4  # whose noise is measured, beside the default's
SHOWN = (15, 30)
SEARCHED_BY = ("scoot", "random")


@dataclass(frozen=True)
class EqualContent(SimulatedService):
    """A service whose tests carry what was asked for, judged under plain Poisson processes."""

    @classmethod
    def of(cls, service: SimulatedService) -> Self:
        """Return the service with these loads."""
        return cls(**asdict(service))

    def judge(self, config: Config) -> Sequence[Mapping[str, float]]:
        """Return the metrics under plain loads; none if one of them failed."""
        return judged([self.measure_plain(config, seed) for seed in JUDGE_SEEDS])

    def measure_plain(self, config: Config, seed: int) -> Outcome:
        """Measure a configuration under a load that carries what happens to come.

        It is one of equal content for which the number of requests, and which these are, was drawn
        beforehand.
        """
        rng = np.random.default_rng([seed, 1])
        workload = self.study.workload
        share = int(config["tensor_parallel_size"]) / self.num_gpus
        mean = workload.request_rate_rps * workload.duration_s * share
        num_requests = max(1, int(rng.poisson(mean)))
        drawn = np.sort(rng.permutation(len(self._selected))[:num_requests])
        rate_rps = num_requests / share / workload.duration_s
        changes: dict[str, Any] = {"select": "all", "request_rate_rps": rate_rps}
        drawn_workload = workload.model_copy(update=changes)
        study = self.study.model_copy(update={"workload": drawn_workload})
        trace = replace(self.trace, requests=tuple(self._selected[index] for index in drawn))
        return make_stress_test(study).run(config, trace, seed)

    @cached_property
    def _selected(self) -> Sequence[Request]:
        max_model_len = int(self.study.engine.fixed["max_model_len"])
        requests = fitting(with_conversations(self.trace.requests), max_model_len)
        return select(requests, self.study.workload.select)


@dataclass(frozen=True)
class PlainPoisson(EqualContent):
    """The same service, whose tests carry what happens to come."""

    def measure(self, config: Config, seed: int) -> Outcome:
        """Measure a configuration for a search."""
        return self.measure_plain(config, seed)


LOADS: Mapping[str, type[EqualContent]] = {
    "plain Poisson": PlainPoisson,
    "equal content": EqualContent,
}
PLAIN, EQUAL = LOADS


@dataclass(frozen=True)
class Noise:
    """Hold how much one test of a configuration differs from the next.

    Attributes:
        deviation: Of the logarithm of each objective's metric over seeds, mean over configurations.
    """

    service: str
    load: str
    deviation: dict[str, float]


@dataclass(frozen=True)
class Row:
    """Hold one search.

    Attributes:
        curve: Improvement over the default, as judged, after 0, 1, ... observations.
    """

    service: str
    load: str
    algorithm: str
    seed: int
    curve: tuple[float, ...]
    num_infeasible: int

    @property
    def variant(self) -> str:
        """In what the search differs."""
        return variant(self.algorithm, self.load)


def variant(algorithm: str, load: str) -> str:
    """Name an algorithm under a load."""
    return f"{algorithm}, {load}"


CONTROLS = {variant(name, EQUAL): variant(name, PLAIN) for name in SEARCHED_BY}


def main(
    seeds: Annotated[int, typer.Option(min=1)] = 10,
    observations: Annotated[int, typer.Option(min=1)] = 30,
    processes: Annotated[int, typer.Option(min=1)] = 2,
    output: Path = RESULTS,
) -> None:
    """Measure the noise, and search every service with every seed under either load."""
    console = Console()
    known = {service.name: service for service in simulated_services(AZURE_TRACE)}
    with ProcessPoolExecutor(processes) as pool:
        services = list(
            pool.map(SimulatedService.at_stated_load, [known[name] for name in SERVICES])
        )
        pairs = [(service, load) for service in services for load in LOADS]
        noises = list(pool.map(noise_of, *zip(*pairs, strict=True)))
        console.print(noise_table(noises))
        jobs = [
            pool.submit(row_of, *pair, name, seed, observations)
            for name in SEARCHED_BY
            for seed in range(seeds)
            for pair in pairs
        ]
        rows: list[Row] = []
        for job in jobs:
            rows.append(job.result())
            write_result(
                output,
                simulated=True,
                noises=[asdict(noise) for noise in noises],
                rows=[asdict(row) for row in rows],
            )
    console.print(share_table(rows, CONTROLS, SHOWN))


def noise_of(service: SimulatedService, load: str) -> Noise:
    """Measure the default and some Sobol configurations under many seeds."""
    design = InitialDesign(log_space(service.space), NUM_CONFIGS, seed=0)
    configs = design.propose(frozenset(), 1 + NUM_CONFIGS)
    tested = LOADS[load].of(service)
    names = [objective.metric for objective in service.objectives]
    logs = []
    for config in configs:
        outcomes = [tested.measure(config, seed) for seed in NOISE_SEEDS]
        if all(outcome.state is TrialState.COMPLETE for outcome in outcomes):
            logs.append([[np.log(o.metrics[name]) for name in names] for o in outcomes])
    deviations = np.std(logs, axis=1, ddof=1).mean(axis=0)
    return Noise(service.name, load, dict(zip(names, deviations.tolist(), strict=True)))


def row_of(
    service: SimulatedService, load: str, algorithm: str, seed: int, observations: int
) -> Row:
    """Search a service once."""
    task = Task(service.name, service.rate_rps, algorithm, 1, seed, observations)
    run = search(task, LOADS[load].of(service), ALGORITHMS[algorithm], PeerEnvironment(Path()))
    return Row(service.name, load, algorithm, seed, run.curve, run.num_infeasible)


def noise_table(noises: Sequence[Noise]) -> Table:
    """Tabulate deviations, in percent."""
    table = Table("service", "metric", *LOADS, title="How much one test differs, % (simulated)")
    of = {(noise.service, noise.load): noise.deviation for noise in noises}
    for service in dict.fromkeys(noise.service for noise in noises):
        for metric in of[service, PLAIN]:
            cells = [f"{100.0 * of[service, load][metric]:.1f}" for load in LOADS]
            table.add_row(service, metric, *cells)
    return table


if __name__ == "__main__":
    run_command(main)
