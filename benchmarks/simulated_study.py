"""Whole studies on the simulator, one trial after the other, for benchmarks. Nothing is started.

Near saturation the order in which requests arrive decides much of what a test measures, which is
what confirmation and early stop have to cope with; so these services are loaded that far.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.result_file import write_result
from scoot_ray.core.pareto import box_volumes
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.plan import Plan
from trainables.backend import make_stress_test

LLAMA_7B, LLAMA_13B = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf"
SERVICES: dict[str, tuple[str, str, int, str, float, str, str]] = {
    # model, accelerator, GPUs, trace, requests/s, objective, space
    "bot-interactive": (LLAMA_7B, "L40S", 4, "synthetic:bot", 3.75, "interactive", "vllm-v1"),
    "bot-online": (LLAMA_7B, "L40S", 4, "synthetic:bot", 3.75, "online", "vllm-v1"),
    "bot-offline": (LLAMA_7B, "L40S", 4, "synthetic:bot", 6, "offline", "vllm-v1"),
    "sql-online": (LLAMA_13B, "A100-80GB", 2, "synthetic:sql", 6, "online", "vllm-v0"),
}
DURATION_S = 60.0
FRESH_SEED = 10_000
"""Seeds of the orders that judge a configuration start here; no study reaches it."""


def make_study(service: str, seed: int, **sections: Any) -> Study:
    """Return the study of a service; `sections` are added to it."""
    model, accelerator, num_gpus, trace, rate_rps, objective, space = SERVICES[service]
    engine = {"kind": "simulated", "model": model, "fixed": {"max_model_len": 4096}}
    data: dict[str, Any] = {
        "name": service,
        "engine": engine,
        "service": {"num_gpus": num_gpus, "accelerator": accelerator},
        "workload": {
            "trace": trace,
            "request_rate_rps": rate_rps,
            "duration_s": DURATION_S,
        },
        "objective": objective,
        "space": space,
        "search": {"seed": seed},
    }
    return parse_study({**data, **sections})


class FreshOrders:
    """Judge configurations of a service by arrival orders that no study has seen.

    Args:
        study: Any study of the service.
        num_orders: Arrival orders; the same for every configuration.
    """

    def __init__(self, study: Study, num_orders: int) -> None:
        self._study = study
        self._plan = Plan.of(study)
        self._seeds = range(FRESH_SEED, FRESH_SEED + num_orders)
        self._known: dict[tuple[tuple[str, Any], ...], np.ndarray] = {}

    def losses(self, config: Config) -> np.ndarray:
        """Return losses, shape [orders, m]; infinite where the engine did not survive."""
        key = tuple(sorted(config.items()))
        if key not in self._known:
            self._known[key] = np.array([self._test(config, seed) for seed in self._seeds])
        return self._known[key]

    def improvement(self, config: Config) -> float:
        """Return the box between the mean losses and the default's, as a share of the default's.

        For one objective that is the relative gain, for two the product of both.
        """
        return self._box(config, np.mean)

    def worst_improvement(self, config: Config) -> float:
        """Return the same of the worst losses, which is what an SLO promises."""
        return self._box(config, np.max)

    def _box(self, config: Config, summary: Any) -> float:
        default = summary(self.losses(self._plan.space.default), axis=0)
        point = summary(self.losses(config), axis=0)
        volume = box_volumes(point[None] / np.abs(default), default / np.abs(default))
        return float(volume[0])

    def _test(self, config: Config, seed: int) -> list[float]:
        outcome = make_stress_test(self._study).run(config, self._plan.trace, seed)
        return [
            o.sign * outcome.metrics[o.metric] if outcome.metrics else np.inf
            for o in self._study.objectives
        ]


def load_time_s(trials: Sequence[TrialRecord]) -> float:
    """Add up the seconds of load that trials took: sending and draining."""
    return sum(t.phases_s.get("load", 0.0) + t.phases_s.get("drain", 0.0) for t in trials)


def write_rows(output: Path, rows: Sequence[Any], **settings: Any) -> None:
    """Write what is known so far, so that a run that is cut off leaves something.

    Args:
        output: A JSON file.
        rows: Dataclass instances.
        settings: What all of them have in common.
    """
    write_result(output, simulated=True, **settings, rows=[asdict(row) for row in rows])
