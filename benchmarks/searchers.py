"""Search algorithms compared on simulated services: same budget, same seeds, with controls.

    python -m benchmarks.searchers --seeds 5 --observations 30

Every number is simulated. A cell is the improvement over the default configuration: the relative
gain for one objective; for two, the share of the box between the origin and the default that the
front dominates. The control `repeated default` measures the default again as often as the others
search, so its best is what luck alone brings.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pymoo.indicators.hv import HV
from rich.console import Console
from rich.table import Table

from scoot_ray.core.pareto import loss_matrix, measured
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import Role, TrialRecord, TrialState, trial_seed
from scoot_ray.plan import Plan
from trainables import make_stress_test

RESULTS = Path(__file__).parent / "results" / "searchers.json"
REPEATED_DEFAULT = "repeated default"
ALGORITHMS = ("scoot", "random", REPEATED_DEFAULT)


@dataclass(frozen=True)
class Service:
    """Describe a service to tune; `rate_rps` lies near saturation of the default."""

    model: str
    accelerator: str
    num_gpus: int
    trace: str
    rate_rps: float
    objective: str
    space: str

    def study(self, name: str, algorithm: str, observations: int, seed: int) -> Study:
        """Return the study of this service."""
        engine = {"kind": "simulated", "model": self.model, "fixed": {"max_model_len": 4096}}
        data: dict[str, Any] = {
            "name": name,
            "engine": engine,
            "service": {"num_gpus": self.num_gpus, "accelerator": self.accelerator},
            "workload": {"trace": self.trace, "request_rate_rps": self.rate_rps},
            "objective": self.objective,
            "space": self.space,
            "search": {"algorithm": algorithm, "observations": observations, "seed": seed},
        }
        return parse_study(data)


LLAMA_7B, LLAMA_13B = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf"
SERVICES = {
    "bot-7b-l40s": Service(LLAMA_7B, "L40S", 4, "synthetic:bot", 3.75, "interactive", "vllm-v1"),
    "sql-13b-a100": Service(LLAMA_13B, "A100-80GB", 2, "synthetic:sql", 8, "online", "vllm-v0"),
    "rec-7b-a10": Service(LLAMA_7B, "A10", 4, "synthetic:rec", 8, "offline", "vllm-v1"),
}


@dataclass(frozen=True)
class Run:
    """Hold what one search came to.

    Attributes:
        improvement: Over the default, at the end; 0 is none.
        num_infeasible: Trials that the engine did not survive.
        suggestion_s: Mean time of a suggestion.
    """

    service: str
    algorithm: str
    seed: int
    improvement: float
    num_infeasible: int
    suggestion_s: float


def main(
    seeds: Annotated[int, typer.Option(min=1)] = 5,
    observations: Annotated[int, typer.Option(min=1)] = 30,
    output: Path = RESULTS,
) -> None:
    """Run every algorithm on every service with every seed."""
    runs = [
        search(name, service, algorithm, observations, seed)
        for name, service in SERVICES.items()
        for seed in range(seeds)
        for algorithm in ALGORITHMS
    ]
    Console().print(summary(runs))
    for line in paired(runs):
        print(line)
    output.parent.mkdir(parents=True, exist_ok=True)
    content = {"observations": observations, "seeds": seeds, "runs": [asdict(run) for run in runs]}
    output.write_text(json.dumps(content, indent=1) + "\n")


def search(name: str, service: Service, algorithm: str, observations: int, seed: int) -> Run:
    """Search one service, one trial after the other."""
    is_control = algorithm == REPEATED_DEFAULT
    study = service.study(name, "random" if is_control else algorithm, observations, seed)
    plan = Plan.of(study)
    stress_test = make_stress_test(study)
    history: list[TrialRecord] = []
    started_s = time.perf_counter()
    suggesting_s = 0.0
    for number in range(observations + 1):
        before_s = time.perf_counter()
        config: Config = plan.space.default
        if not is_control:
            config = plan.agenda.optimizer.suggest(history, [], 1)[0]
        suggesting_s += time.perf_counter() - before_s
        outcome = stress_test.run(config, plan.trace, trial_seed(seed, number))
        role = Role.SEARCH if number else Role.DEFAULT
        history.append(TrialRecord(number, config, outcome.state, outcome.metrics, role=role))
    print(f"{name} {algorithm} seed {seed}: {time.perf_counter() - started_s:.0f} s", flush=True)
    num_infeasible = sum(record.state is TrialState.INFEASIBLE for record in history)
    suggestion_s = suggesting_s / (observations + 1)
    return Run(name, algorithm, seed, improvement(study, history), num_infeasible, suggestion_s)


def improvement(study: Study, history: Sequence[TrialRecord]) -> float:
    """Return the improvement over the default, at least 0."""
    records = measured(history, study.objectives)
    if not records or records[0].role is not Role.DEFAULT:
        return float("nan")
    points = loss_matrix(records, study.objectives)
    scaled = points / np.abs(points[0])
    reference = np.sign(points[0])
    return float(HV(ref_point=reference)(scaled))


def summary(runs: Sequence[Run]) -> Table:
    """Tabulate means over the seeds, with a 95 % interval."""
    table = Table(title="Improvement over the default (simulated), mean and 95 % interval")
    for heading in ("service", "algorithm", "improvement", "infeasible", "s / suggestion"):
        table.add_column(heading)
    for service in SERVICES:
        for algorithm in ALGORITHMS:
            chosen = [r for r in runs if (r.service, r.algorithm) == (service, algorithm)]
            table.add_row(
                service,
                algorithm,
                _interval([run.improvement for run in chosen]),
                f"{np.mean([run.num_infeasible for run in chosen]):.1f}",
                f"{np.mean([run.suggestion_s for run in chosen]):.2f}",
            )
    return table


def paired(runs: Sequence[Run]) -> list[str]:
    """Compare scoot with random search seed by seed; a tie is a difference within luck alone."""
    lines = []
    for service in SERVICES:
        best = {a: _by_seed(runs, service, a) for a in ALGORITHMS}
        noise = np.nanstd(best[REPEATED_DEFAULT])
        difference = best["scoot"] - best["random"]
        wins, losses = (difference > noise).sum(), (difference < -noise).sum()
        ties = len(difference) - wins - losses
        lines.append(f"{service}: scoot against random: {wins} won, {ties} tied, {losses} lost")
    return lines


def _by_seed(runs: Sequence[Run], service: str, algorithm: str) -> np.ndarray:
    return np.array(
        [r.improvement for r in runs if (r.service, r.algorithm) == (service, algorithm)]
    )


def _interval(values: Sequence[float]) -> str:
    half = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{np.mean(values):.3f} ± {half:.3f}"


if __name__ == "__main__":
    typer.run(main)
