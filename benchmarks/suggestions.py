"""How long one suggestion takes, and how much memory, by the number of observations.

    python -m benchmarks.suggestions [--algorithm scoot] [--repeats 20]

Histories are random valid configurations of closed-form services (`benchmarks.analytic_engine`),
measured with noise, those that crash among them; every repeat has another service, history and
seed. The first suggestion of the process is not counted: it loads libraries.
"""

import resource
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.analytic import measure
from benchmarks.analytic_engine import Service
from benchmarks.entry import run_command
from benchmarks.result_file import write_result
from scoot_ray.core.assignment import trial_seed
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer
from searchers.initial_design import draw_valid, sobol_stream

RESULTS = Path(__file__).parent / "results" / "suggestions.json"
OBJECTIVES = ("offline", "online", "interactive")
LENGTHS = (30, 200, 500)
FIRST_SERVICE = 200  # no search was developed or judged on these


@dataclass(frozen=True)
class Timed:
    """Hold what suggestions took.

    Attributes:
        num_parameters: Of the service's space.
        seconds: One for each repeat.
        peak_bytes: The process's largest resident set so far.
    """

    objectives: int
    num_parameters: int
    observations: int
    seconds: list[float]
    peak_bytes: int


def main(
    algorithm: str = "scoot",
    repeats: Annotated[int, typer.Option(min=1)] = 20,
    output: Path = RESULTS,
) -> None:
    """Time suggestions with rising numbers of observations."""
    time_one(algorithm, OBJECTIVES[0], FIRST_SERVICE, LENGTHS[0])
    timed = [
        time_many(algorithm, kind, observations, repeats)
        for observations in LENGTHS
        for kind in (OBJECTIVES[0], OBJECTIVES[-1])
    ]
    Console().print(summary(algorithm, timed))
    write_result(output, algorithm=algorithm, timed=[asdict(t) for t in timed])


def time_many(algorithm: str, kind: str, observations: int, repeats: int) -> Timed:
    """Time one suggestion on each of `repeats` services."""
    numbers = range(FIRST_SERVICE, FIRST_SERVICE + repeats)
    service = Service.draw(FIRST_SERVICE, kind)
    seconds = [time_one(algorithm, kind, number, observations) for number in numbers]
    peak_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    num_parameters = len(service.space.names)
    return Timed(len(service.objectives), num_parameters, observations, seconds, peak_bytes)


def time_one(algorithm: str, kind: str, number: int, observations: int) -> float:
    """Return the seconds of one suggestion."""
    service = Service.draw(number, kind)
    history = random_history(service, observations, number)
    optimizer = make_optimizer(algorithm, service.space, service.objectives, seed=number)
    began_s = time.perf_counter()
    optimizer.suggest(history, [])
    return time.perf_counter() - began_s


def random_history(service: Service, observations: int, seed: int) -> list[TrialRecord]:
    """Measure the default and random valid configurations."""
    space = service.space
    configs = draw_valid(space, sobol_stream(space.dim, seed), observations - 1, frozenset())
    return [
        measure(service, index, config, trial_seed(seed, index))
        for index, config in enumerate([dict(space.default), *configs])
    ]


def summary(algorithm: str, timed: Sequence[Timed]) -> Table:
    """Tabulate medians and 95th percentiles."""
    table = Table(title=f"One suggestion of {algorithm}", caption="memory: of the whole process")
    for heading in ("observations", "objectives", "parameters", "median, s", "p95, s", "peak, MiB"):
        table.add_column(heading, justify="right")
    for one in timed:
        counts = (one.observations, one.objectives, one.num_parameters)
        seconds = (np.median(one.seconds), np.quantile(one.seconds, 0.95))
        cells = [*map(str, counts), *(f"{s:.2f}" for s in seconds), f"{one.peak_bytes / 2**20:.0f}"]
        table.add_row(*cells)
    return table


if __name__ == "__main__":
    run_command(main)
