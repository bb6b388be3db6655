"""The stress test on the simulated engine: one configuration, measured in virtual time."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scoot_ray.core.errors import ClusterError, EngineError
from scoot_ray.core.metrics import summarize
from scoot_ray.core.request import RequestRecord
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from scoot_ray.core.trial import Failure, Outcome, Phase, TrialState
from traces.schema import Trace
from traces.workload import Load, make_load
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import Engine, Run
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.startup import PROCESS_S, STOP_S, start_s
from trainables.simulator.step_cost import RooflineCost
from trainables.simulator.trial_files import write_trial_files
from trainables.simulator.version import find_version
from trainables.spaces import complete_config


@dataclass(frozen=True)
class SimulatedStressTest:
    """Measure configurations of a study on the embedded engine.

    Step times carry a small seeded jitter (`engine.STEP_JITTER`), so that repetitions differ as
    real ones do; the same seed gives the same outcome.

    Attributes:
        study: The study.
        folder: Receives engine.log and requests.parquet; nothing is written if it is None.

    Raises:
        StudyError: If the model or the accelerator is not known.
    """

    study: Study
    folder: Path | None = None

    def __post_init__(self) -> None:
        load_model_shape(self.study.engine.model)
        find_accelerator(self.study.service.accelerator)

    def run(self, config: Config, trace: Trace, seed: int) -> Outcome:
        """Run one stress test from start to stop; see `StressTest.run`.

        Raises:
            ClusterError: If the configuration wants more GPUs than the service owns.
        """
        trial = _Trial(self.study, config, trace, seed)
        outcome = trial.run()
        if self.folder is not None:
            write_trial_files(self.folder, trial.memory, trial.records, outcome)
        return outcome


class _Trial:
    """One stress test: what it needs, and its phases."""

    def __init__(self, study: Study, config: Config, trace: Trace, seed: int) -> None:
        self.study = study
        self.config = complete_config(study, config)
        self.trace = trace
        self.seed = seed
        self.model = load_model_shape(study.engine.model)
        self.accelerator = find_accelerator(study.service.accelerator)
        self.version = find_version(study.space.base, self.config)
        self.phases_s: dict[str, float] = {}
        self.memory: MemoryPlan | None = None
        self.records: list[RequestRecord] = []

    def run(self) -> Outcome:
        """Start, warm up, load, drain, stop."""
        try:
            config = EngineConfig.resolve(self.config, self.model)
        except EngineError as error:
            failure = Failure(Phase.START, "wrong_flag", str(error), fatal=True)
            return Outcome(TrialState.FAILED, failure=failure)
        share = self._share(config.tensor_parallel_size)
        memory = self.memory = MemoryPlan(self.model, self.accelerator, config)
        failure_at_start = _refusal(config.complaint(self.model)) or memory.start_failure()
        if failure_at_start:
            # A crash comes before anything is captured or compiled.
            self.phases_s[Phase.START] = PROCESS_S
            return self._infeasible(failure_at_start)
        self.phases_s[Phase.START] = start_s(self.model, config, self.version.compile_s)
        engine = self._make_engine(config, memory)
        load = make_load(
            self.trace,
            self.study.workload,
            share=share,
            max_model_len=config.max_model_len,
            seed=self.seed,
        )
        return self._measure(engine, config, load, share)

    def _share(self, tensor_parallel_size: int) -> float:
        num_gpus = self.study.service.num_gpus
        if tensor_parallel_size > num_gpus:
            raise ClusterError(
                f"tensor_parallel_size={tensor_parallel_size} wants more GPUs than "
                f"service.num_gpus={num_gpus}; lower the one or raise the other."
            )
        return tensor_parallel_size / num_gpus

    def _make_engine(self, config: EngineConfig, memory: MemoryPlan) -> Engine:
        block_manager = BlockManager(
            memory.num_kv_blocks, config.block_size, config.enable_prefix_caching
        )
        scheduler = self.version.scheduler(config, block_manager)
        step_cost = RooflineCost(self.model, self.accelerator, config, self.version.host)
        return Engine(scheduler, step_cost, memory, np.random.default_rng(self.seed))

    def _measure(self, engine: Engine, config: EngineConfig, load: Load, share: float) -> Outcome:
        workload = self.study.workload
        warmup = engine.run(load.warmup, workload.request_timeout_s)
        self.phases_s[Phase.WARM_UP] = warmup.end_s
        if warmup.failure:
            return self._infeasible(replace(warmup.failure, phase=Phase.WARM_UP))
        num_preemptions = engine.scheduler.num_preemptions
        run = engine.run(load.requests, workload.request_timeout_s)
        self._time_load(run)
        if run.failure:
            return self._infeasible(run.failure)
        self.records = [sequence.to_record(config.stream_interval) for sequence in run.sequences]
        failure = self._too_many_failed()
        if failure:
            return self._infeasible(failure)
        metrics = summarize(self.records, share=share, bounds_s=self.study.goodput_bounds_s)
        metrics["num_too_long"] = float(load.num_too_long)
        metrics["num_preemptions"] = float(engine.scheduler.num_preemptions - num_preemptions)
        return Outcome(TrialState.COMPLETE, metrics, phases_s=self._phases())

    def _time_load(self, run: Run) -> None:
        load_s = min(run.end_s, self.study.workload.duration_s)
        self.phases_s[Phase.LOAD] = load_s
        self.phases_s[Phase.DRAIN] = run.end_s - load_s

    def _too_many_failed(self) -> Failure | None:
        workload = self.study.workload
        num_failed = sum(not record.completed for record in self.records)
        if num_failed <= workload.max_failed_share * len(self.records):
            return None
        return Failure(
            phase=Phase.LOAD,
            cause="request_timeouts",
            message=f"{num_failed} of {len(self.records)} requests took longer than "
            f"{workload.request_timeout_s:g} s; the configuration cannot carry the request rate.",
        )

    def _infeasible(self, failure: Failure) -> Outcome:
        return Outcome(TrialState.INFEASIBLE, failure=failure, phases_s=self._phases())

    def _phases(self) -> dict[str, float]:
        seconds = {**self.phases_s, Phase.STOP: STOP_S}
        return {str(phase): float(value) for phase, value in seconds.items()}


def _refusal(complaint: str | None) -> Failure | None:
    """Turn vLLM's complaint about its parameters into the failure that follows from it."""
    if complaint is None:
        return None
    return Failure(Phase.START, "engine_exited", "The engine refused its parameters.", (complaint,))
