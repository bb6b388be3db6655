"""The twin of a real engine: all that follows from a study and one configuration."""

from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np

from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.calibration import Calibration, load_calibration
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import Engine
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.operator_profile import load_operator_profile
from trainables.simulator.operators import Operators
from trainables.simulator.startup import PROCESS_S, start_s
from trainables.simulator.step_cost import RooflineCost, StepCost
from trainables.simulator.timeline import Timeline
from trainables.simulator.version import EngineVersion, find_version
from trainables.spaces import base_space_name, complete_config


@dataclass(frozen=True)
class Twin:
    """Hold a configuration of an engine with its version, memory and step times.

    Attributes:
        version: The engine's generation.
        config: All of its start-up parameters.
        memory: Where a GPU's memory goes.
        step_cost: How long a step takes.
        front_end_s: How long it takes before a request is queued.
    """

    version: EngineVersion
    config: EngineConfig
    memory: MemoryPlan
    step_cost: StepCost
    front_end_s: float

    @classmethod
    def of(cls, study: Study, config: Config, calibration: Calibration | None = None) -> Self:
        """Build the twin of one configuration.

        Args:
            study: Says model, accelerator, fixed parameters, and `simulator:`.
            config: The tuned parameters.
            calibration: Used instead of the study's own.

        Raises:
            EngineError: If the engine has no such parameter.
            StudyError: If the model, the accelerator or a file of `simulator:` does not fit.
        """
        model = load_model_shape(study.engine.model)
        accelerator = find_accelerator(study.service.accelerator)
        full = complete_config(study, config)
        version = find_version(base_space_name(study), full)
        engine_config = EngineConfig.resolve(full, model)
        files = study.simulator
        if calibration is None:
            calibration = (
                load_calibration(files.calibration) if files.calibration else Calibration()
            )
        host = calibration.host_of(version)
        step_cost = RooflineCost(
            model,
            accelerator,
            engine_config,
            host,
            calibration.efficiency,
            operators=_measured(files.profile, engine_config.tensor_parallel_size),
        )
        memory = MemoryPlan(model, accelerator, engine_config, version)
        return cls(version, engine_config, memory, step_cost, host.request_s)

    @property
    def start_s(self) -> float:
        """Seconds from launch to the first healthy answer."""
        return start_s(self.memory.model, self.config, self.version)

    def start_failure(self, timeout_s: float) -> Failure | None:
        """Return why the engine would not come up within `timeout_s`, if it would not."""
        complaint = self.config.complaint(self.memory.model)
        if complaint is not None:
            message = "The engine refused its parameters."
            return Failure(Phase.START, "engine_exited", message, (complaint,))
        failure = self.memory.start_failure()
        if failure is not None or self.start_s <= timeout_s:
            return failure
        message = f"The engine needs {self.start_s:.0f} s to come up; it was given {timeout_s:g} s."
        return Failure(Phase.START, "startup_timeout", message)

    def failed_start_s(self, timeout_s: float) -> float:
        """Seconds until such a failure shows: before anything is captured, or at the time-out."""
        return PROCESS_S if self.start_s <= timeout_s else timeout_s

    def make_engine(
        self, seed: int | list[int], *, timeout_s: float = inf, timeline: Timeline | None = None
    ) -> Engine:
        """Make an engine that has just come up; `seed` decides the jitter of its steps."""
        config = self.config
        manager = BlockManager(
            self.memory.num_kv_blocks, config.block_size, config.enable_prefix_caching
        )
        return Engine(
            self.version.scheduler(config, manager),
            self.step_cost,
            self.memory,
            np.random.default_rng(seed),
            timeout_s=timeout_s,
            front_end_s=self.front_end_s,
            timeline=timeline,
        )


def _measured(profile: str | None, tensor_parallel_size: int) -> Operators | None:
    if profile is None:
        return None
    return load_operator_profile(profile).operators(tensor_parallel_size)
