"""Services on the embedded simulator, named `WORKLOAD-MODEL-GPUSxACCELERATOR-SPACE`.

Every number measured on them is simulated. The rate is a stated share of the rate at which the
default configuration saturates (`replay.LOADS`), so that it is neither idle nor hopeless.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.comparison.replay import FIRST_RATE_RPS, OBJECTIVES, ReplayedService
from scoot_ray.core.outcome import Outcome
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.study import Study, parse_study
from traces import load_trace
from traces.schema import Trace
from trainables.backend import make_stress_test
from trainables.spaces import make_space

AZURE_TRACE = Path("../shared/data/azure_llm_2023_conv.csv")
"""Where the Azure trace is looked for: beside the checkout. It is not shipped."""

MODELS = {"7b": "meta-llama/Llama-2-7b-hf", "13b": "meta-llama/Llama-2-13b-hf"}
ACCELERATORS = ("A10", "L40S", "A100-80GB", "H100")
NUM_GPUS = (2, 4)
SPACES = ("v0", "v1")


@dataclass(frozen=True)
class SimulatedService(ReplayedService):
    """Describe a service to tune on the simulator.

    Attributes:
        azure_trace: File of the Azure trace, for its workload.
    """

    model: str
    num_gpus: int
    accelerator: str
    base_space: str
    azure_trace: str = ""

    @property
    def name(self) -> str:
        """Name the service by everything that makes it."""
        hardware = f"{self.num_gpus}x{self.accelerator}"
        return f"{self.workload}-{self.model}-{hardware}-{self.base_space}"

    @cached_property
    def study(self) -> Study:
        """The study of this service, searched from outside."""
        objective = OBJECTIVES[self.workload]
        engine = {
            "kind": "simulated",
            "model": MODELS[self.model],
            "fixed": {"max_model_len": 4096},
        }
        is_azure = self.workload == "azure"
        trace = self.azure_trace if is_azure else f"synthetic:{self.workload}"
        data: dict[str, Any] = {
            "name": self.name,
            "engine": engine,
            "service": {"num_gpus": self.num_gpus, "accelerator": self.accelerator},
            "workload": {"trace": trace, "request_rate_rps": self.rate_rps or FIRST_RATE_RPS},
            "objective": objective,
            "space": f"vllm-{self.base_space}",
        }
        return parse_study(data, self.name)

    @cached_property
    def trace(self) -> Trace:
        """The requests."""
        return load_trace(self.study.workload.trace)

    @cached_property
    def space(self) -> SearchSpace:
        """The engine's space on this hardware."""
        return make_space(self.study)

    def measure(self, config: Config, seed: int) -> Outcome:
        """Measure a configuration under the arrival order of a seed."""
        return make_stress_test(self.study).run(config, self.trace, seed)


def simulated_services(azure_trace: Path) -> Iterator[SimulatedService]:
    """List every combination; those of the Azure trace only where its file is."""
    workloads = [name for name in OBJECTIVES if name != "azure" or azure_trace.exists()]
    for workload in workloads:
        for model in MODELS:
            for num_gpus in NUM_GPUS:
                for accelerator in ACCELERATORS:
                    for space in SPACES:
                        yield SimulatedService(
                            workload,
                            model,
                            num_gpus,
                            accelerator,
                            space,
                            azure_trace=str(azure_trace.resolve()),
                        )
