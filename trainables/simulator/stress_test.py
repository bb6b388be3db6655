"""The stress test on the simulated engine: one configuration, measured in virtual time."""

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from scoot_ray.core.bar import Bar
from scoot_ray.core.errors import EngineError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.metrics import summarize
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import RequestRecord
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from traces.schema import Trace
from traces.workload import Load, make_load
from trainables.early_stop import EarlyStop
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.replicas import replicas_of
from trainables.simulator.calibration import Calibration
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import EngineDeathError
from trainables.simulator.fleet import Fleet
from trainables.simulator.load_watch import LoadWatch
from trainables.simulator.startup import STOP_S
from trainables.simulator.timeline import Timeline
from trainables.simulator.trial_files import write_trial_files
from trainables.simulator.twin import Twin


@dataclass(frozen=True)
class SimulatedStressTest:
    """Measure configurations of a study on the embedded engine.

    Step times carry a small seeded jitter (`engine.STEP_JITTER`), so that repetitions differ as
    real ones do; the same seed gives the same outcome.

    Attributes:
        study: The study.
        folder: Receives engine.log and requests.parquet; nothing is written if it is None.
        calibration: Used instead of the one that the study names.

    Raises:
        StudyError: If the model or the accelerator is not known.
    """

    study: Study
    folder: Path | None = None
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        load_model_shape(self.study.engine.model)
        find_accelerator(self.study.service.accelerator)

    def run(self, config: Config, trace: Trace, seed: int, bar: Bar | None = None) -> Outcome:
        """Run one stress test from start to stop; see `StressTest.run`.

        Raises:
            ClusterError: If the configuration wants more GPUs than the service owns.
        """
        return self._run(_Trial(self.study, config, trace, seed, self.calibration, bar=bar))

    def watch(self, config: Config, trace: Trace, seed: int) -> tuple[Outcome, list[Timeline]]:
        """Run one stress test as `run` does, and note every step of its load.

        Returns:
            The outcome, and a timeline of each engine; none if the engines did not come so far.
        """
        trial = _Trial(self.study, config, trace, seed, self.calibration, is_watched=True)
        return self._run(trial), trial.timelines

    def _run(self, trial: "_Trial") -> Outcome:
        outcome = trial.run()
        if self.folder is not None:
            write_trial_files(self.folder, trial.twin, trial.records, outcome)
        return outcome


class _Trial:
    """One stress test: what it needs, and its phases."""

    def __init__(
        self,
        study: Study,
        config: Config,
        trace: Trace,
        seed: int,
        calibration: Calibration | None,
        *,
        is_watched: bool = False,
        bar: Bar | None = None,
    ) -> None:
        self.study = study
        self.calibration = calibration
        self.trace = trace
        self.seed = seed
        self.config = config
        self.replicas = replicas_of(study, config)
        self.phases_s: dict[str, float] = {}
        self.twin: Twin | None = None
        self.records: list[RequestRecord] = []
        self.is_watched = is_watched
        self.bar = bar
        self.timelines: list[Timeline] = []

    def run(self) -> Outcome:
        """Start, warm up, load, drain, stop."""
        try:
            twin = self.twin = Twin.of(self.study, self.config, self.calibration)
        except EngineError as error:
            failure = Failure(Phase.START, "wrong_flag", str(error), fatal=True)
            return Outcome(TrialState.FAILED, failure=failure)
        timeout_s = self.study.engine.startup_timeout_s
        failure_at_start = twin.start_failure(timeout_s)
        if failure_at_start:
            self.phases_s[Phase.START] = twin.failed_start_s(timeout_s)
            return self._infeasible(failure_at_start)
        self.phases_s[Phase.START] = twin.start_s
        load = make_load(
            self.trace,
            self.study.workload,
            share=self.replicas.share,
            max_model_len=twin.config.max_model_len,
            seed=self.seed,
        )
        try:
            return self._measure(self._make_fleet(twin), twin.config, load)
        except EngineDeathError as death:
            return self._infeasible(death.failure)

    def _make_fleet(self, twin: Twin) -> Fleet:
        timeout_s = self.study.workload.request_timeout_s
        numbers = range(self.replicas.num_replicas)
        return Fleet([twin.make_engine([self.seed, n], timeout_s=timeout_s) for n in numbers])

    def _measure(self, fleet: Fleet, config: EngineConfig, load: Load) -> Outcome:
        self._warm_up(fleet, load)
        if self.is_watched:
            self.timelines = fleet.watch()
        num_steps, num_preemptions = fleet.num_steps, fleet.num_preemptions
        num_cached, share = 0, self.replicas.share
        early_stop = EarlyStop(self.study, self.bar, load, share) if self.bar else None
        watch = LoadWatch(early_stop, fleet, load) if early_stop else None
        for sequence in fleet.serve(load.requests):
            record = sequence.to_record(config.stream_interval)
            self.records.append(record)
            num_cached += sequence.num_cached_tokens
            if early_stop and watch and watch.is_over(sequence.request, record):
                self._time_load(fleet.now_s)
                return replace(early_stop.outcome(), phases_s=self._phases())
        self._time_load(fleet.now_s)
        self.records.sort(key=lambda record: record.due_s)
        failure = self._too_many_failed()
        if failure:
            return self._infeasible(failure)
        bounds_s = self.study.goodput_bounds_s
        metrics = summarize(self.records, share=share, bounds_s=bounds_s)
        metrics["num_too_long"] = float(load.num_too_long)
        metrics["num_engine_steps"] = float(fleet.num_steps - num_steps)
        metrics["num_preemptions"] = float(fleet.num_preemptions - num_preemptions)
        if config.enable_prefix_caching:
            num_prompt_tokens = sum(record.prompt_tokens for record in self.records)
            metrics["prefix_cache_hit_rate"] = num_cached / num_prompt_tokens
        return Outcome(TrialState.COMPLETE, metrics, phases_s=self._phases())

    def _warm_up(self, fleet: Fleet, load: Load) -> None:
        try:
            deque(fleet.serve(load.warmup), maxlen=0)
        except EngineDeathError as death:
            raise EngineDeathError(replace(death.failure, phase=Phase.WARM_UP)) from None
        finally:
            self.phases_s[Phase.WARM_UP] = fleet.now_s

    def _time_load(self, end_s: float) -> None:
        load_s = min(end_s, self.study.workload.duration_s)
        self.phases_s[Phase.LOAD] = load_s
        self.phases_s[Phase.DRAIN] = end_s - load_s

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
