"""What `search.start_from` brings: paired searches with and without it; all numbers are simulated.

    python -m benchmarks.warm_start --seeds 10

A service is searched on the simulator, which stands for the real engine. What it starts from:

    nothing     the search as it is
    twin, S     a study on a simulator whose constants are wrong, each by a factor of its own whose
                logarithm is normal with deviation S: 0.5 is 1.6 times up or down, 1.0 is 2.7 times
    relative    a study of the same workload with another model on another GPU
    worst       what the nearer twin found hopeless instead of its best: what bad advice costs
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from math import exp
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from benchmarks.comparison.algorithms import Setting
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.run import Task
from benchmarks.comparison.search import search
from benchmarks.comparison.simulated import AZURE_TRACE, SimulatedService, simulated_services
from benchmarks.entry import run_command
from benchmarks.paired_searches import SERVICES, share_table
from benchmarks.result_file import write_result
from scoot_ray.core.pareto import finalists, loss_matrix, measured
from scoot_ray.core.sections import SearchSection, SimulatorSection
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from scoot_ray.earlier_studies import NUM_EACH
from scoot_ray.plan import Plan
from scoot_ray.rehearsal import rehearse
from searchers import Optimizer, make_optimizer
from searchers.warm_start import WarmStart, adapt
from trainables.simulator.calibration import Calibration
from trainables.simulator.efficiency import Efficiency
from trainables.simulator.host_overhead import HostOverhead
from trainables.simulator.version import find_version
from trainables.spaces import base_space_name

RESULTS = Path(__file__).parent / "results" / "warm_start.json"
NOTHING = "nothing"
OTHER_GPU = {"A10": "L40S", "L40S": "A10", "H100": "A100-80GB"}
EARLIER_SEED = 500  # earlier studies meet other arrival orders
SHOWN = (1, 3, 5, 10, 15, 30)
SHARES = (
    "matmul_flops",
    "matmul_memory",
    "elementwise_memory",
    "prefill_attention_flops",
    "decode_attention_memory",
)
"""Constants that are at most 1."""


@dataclass(frozen=True)
class Row:
    """Hold one search.

    Attributes:
        curve: Improvement over the default, as judged, after 0, 1, ... observations.
        num_infeasible: Trials that crashed.
    """

    service: str
    seed: int
    source: str
    curve: tuple[float, ...]
    num_infeasible: int

    @property
    def variant(self) -> str:
        """In what the search differs."""
        return self.source


@dataclass(frozen=True)
class Started:
    """`scoot`, with configurations to try first."""

    first: Sequence[Config]
    in_batches: bool = False

    @contextmanager
    def running(self, setting: Setting) -> Iterator[Optimizer]:
        """Hold the optimiser."""
        space = setting.space
        optimizer = make_optimizer("scoot", space, setting.objectives, seed=setting.seed)
        yield WarmStart(optimizer, space, adapt(space, self.first))


def main(
    seeds: Annotated[int, typer.Option(min=1)] = 10,
    observations: Annotated[int, typer.Option(min=1)] = 30,
    processes: Annotated[int, typer.Option(min=1)] = 2,
    output: Path = RESULTS,
) -> None:
    """Search every service with every seed from every source."""
    console = Console()
    with ProcessPoolExecutor(processes) as pool:
        known = {service.name: service for service in simulated_services(AZURE_TRACE)}
        services = [known[name] for name in SERVICES]
        pairs = zip(
            pool.map(SimulatedService.at_stated_load, services),
            pool.map(SimulatedService.at_stated_load, map(relative_of, services)),
            strict=True,
        )
        tasks = [(*pair, seed, observations) for pair in list(pairs) for seed in range(seeds)]
        jobs = [pool.submit(rows_of, *task) for task in tasks]
        rows: list[Row] = []
        for job in jobs:
            rows += job.result()
            write_result(output, simulated=True, rows=[asdict(row) for row in rows])
            console.print(f"{rows[-1].service} seed {rows[-1].seed}")
    controls = {row.source: NOTHING for row in rows if row.source != NOTHING}
    console.print(share_table(rows, controls, SHOWN))


def rows_of(
    service: SimulatedService, relative: SimulatedService, seed: int, observations: int
) -> list[Row]:
    """Search a service once from every source."""
    near = _earlier(service, seed, 0.5)
    first: dict[str, list[Config]] = {
        NOTHING: [],
        "twin, 0.5": _best(service, near),
        "twin, 1.0": _best(service, _earlier(service, seed, 1.0)),
        "relative": _best(service, _earlier(relative, seed, 0.0)),
        "worst": _worst(service, near),
    }
    task = Task(service.name, service.rate_rps, "scoot", 1, seed, observations)
    rows = []
    for source, configs in first.items():
        run = search(task, service, Started(configs), PeerEnvironment(Path()))
        rows.append(Row(service.name, seed, source, run.curve, run.num_infeasible))
    return rows


def relative_of(service: SimulatedService) -> SimulatedService:
    """Return the service on another GPU, with the other model where that GPU can hold it."""
    accelerator = OTHER_GPU[service.accelerator]
    model = "13b" if service.model == "7b" and accelerator != "A10" else "7b"
    return replace(service, accelerator=accelerator, model=model)


def _earlier(service: SimulatedService, seed: int, deviation: float) -> list[TrialRecord]:
    """Search the service on a simulator whose constants are off by such factors."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "calibration.yaml"
        host = find_version(base_space_name(service.study), {}).host
        distorted(host, np.random.default_rng(seed), deviation).write(file, {})
        simulator = SimulatorSection(calibration=str(file))
        study = service.study.model_copy(update={"simulator": simulator})
        return rehearse(Plan.of(study.searched_by(SearchSection(seed=EARLIER_SEED + seed))))


def distorted(host: HostOverhead, rng: np.random.Generator, deviation: float) -> Calibration:
    """Return every constant of the step cost, off by a factor of its own."""

    def off(constants: Mapping[str, float]) -> dict[str, float]:
        changed = {k: v * exp(rng.normal(0.0, deviation)) for k, v in constants.items()}
        return {k: min(v, 1.0) if k in SHARES else v for k, v in changed.items()}

    seconds = {k: v for k, v in asdict(host).items() if not isinstance(v, bool)}
    return Calibration(Efficiency(**off(asdict(Efficiency()))), off(seconds))


def _best(service: SimulatedService, trials: Sequence[TrialRecord]) -> list[Config]:
    return [record.config for record in finalists(trials, service.objectives, (), NUM_EACH)]


def _worst(service: SimulatedService, trials: Sequence[TrialRecord]) -> list[Config]:
    """Return configurations whose tests were ended as hopeless, then the worst that were not."""
    records = measured(trials, service.objectives)
    points = loss_matrix(records, service.objectives)
    order = np.argsort(-(points / np.abs(points[0])).sum(axis=1), kind="stable")
    hopeless = [trial for trial in trials if trial.is_bound]
    return [r.config for r in [*hopeless, *(records[i] for i in order)]][:NUM_EACH]


if __name__ == "__main__":
    run_command(main)
