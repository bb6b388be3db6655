"""One search, in virtual time: trials last as long as the service says, k at once."""

import heapq
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymoo.indicators.hv import HV

from benchmarks.comparison.algorithms import Algorithm, Setting
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.run import Run, Task
from benchmarks.comparison.service import Service
from scoot_ray.core.assignment import Role, trial_seed
from scoot_ray.core.objective import losses
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.pareto import is_nondominated, loss_matrix, measured, recommend
from scoot_ray.core.space import Config, FloatArray
from scoot_ray.core.trial import TrialRecord
from searchers import Optimizer


def search(
    task: Task,
    service: Service,
    algorithm: Algorithm,
    environment: PeerEnvironment,
    commit: str = "",
) -> Run:
    """Search a service from the default to the last observation."""
    batch_size = task.parallelism if algorithm.in_batches else 1
    setting = Setting(
        service.space, service.objectives, task.seed, task.observations, environment, batch_size
    )
    with algorithm.running(setting) as optimizer:
        trials = _Trials(task, service, optimizer, in_batches=algorithm.in_batches)
        trials.run()
    judge = _Judge(service)
    best = recommend(trials.history, service.objectives)
    return Run(
        task=task,
        curve=tuple(judge.curve(trials.history)),
        doubt=judge.doubt(trials.history),
        seeming=_seeming_improvement(service, trials.history),
        num_infeasible=sum(r.state is TrialState.INFEASIBLE for r in trials.history),
        suggestion_s=float(np.mean(trials.suggestions_s)),
        suggestion_p95_s=float(np.quantile(trials.suggestions_s, 0.95)),
        total_s=trials.now_s,
        chosen=judge.metrics(best.record.config) if best else {},
        default=judge.metrics(service.space.default),
        commit=commit,
    )


@dataclass(order=True)
class _Running:
    """A trial that ends at `end_s`; equal ends are told in the order of starts."""

    end_s: float
    number: int
    config: Config = field(compare=False)
    outcome: Outcome = field(compare=False)


class _Trials:
    """The trials of one search: started when a slot is free, ended in the order of time."""

    def __init__(
        self, task: Task, service: Service, optimizer: Optimizer, *, in_batches: bool
    ) -> None:
        self._task, self._service, self._optimizer = task, service, optimizer
        self._in_batches = in_batches
        self._running: list[_Running] = []
        self._num_started = 0
        self.history: list[TrialRecord] = []
        self.suggestions_s: list[float] = []
        self.now_s = 0.0

    def run(self) -> None:
        """Run until every observation is made."""
        num_trials = 1 + self._task.observations
        while len(self.history) < num_trials:
            if not (self._in_batches and self._running):
                free = self._task.parallelism - len(self._running)
                self._start(min(free, num_trials - self._num_started))
            self._end_next()

    def _start(self, num: int) -> None:
        if num < 1:
            return
        pending = [trial.config for trial in self._running]
        before_s = time.perf_counter()
        configs = self._optimizer.suggest(self.history, pending, num)
        took_s = (time.perf_counter() - before_s) / num
        for config in configs:
            seed = trial_seed(self._task.seed, self._num_started)
            outcome = self._service.measure(config, seed)
            end_s = self.now_s + sum(outcome.phases_s.values())
            heapq.heappush(self._running, _Running(end_s, self._num_started, config, outcome))
            self._num_started += 1
            self.suggestions_s.append(took_s)

    def _end_next(self) -> None:
        trial = heapq.heappop(self._running)
        self.now_s = trial.end_s
        role = Role.SEARCH if trial.number else Role.DEFAULT
        state, metrics = trial.outcome.state, trial.outcome.metrics
        self.history.append(TrialRecord(trial.number, trial.config, state, metrics, role=role))


class _Judge:
    """Improvement over the default by what configurations do when they are judged."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[tuple[Any, ...], Sequence[Mapping[str, float]]] = {}
        self._default = self._losses(service.space.default)

    def metrics(self, config: Config) -> Mapping[str, float]:
        """Return the mean metrics of a configuration over the judges, none if it does not run."""
        judgements = self._judgements(config)
        names = [objective.metric for objective in self._service.objectives]
        return {n: float(np.mean([j[n] for j in judgements])) for n in names if judgements}

    def _judgements(self, config: Config) -> Sequence[Mapping[str, float]]:
        key = tuple(config[name] for name in self._service.space.names)
        if key not in self._known:
            self._known[key] = self._service.judge(config)
        return self._known[key]

    def doubt(self, history: Sequence[TrialRecord]) -> float:
        """Return the standard error of the improvement at the end, over the judges.

        The default stays at its mean: it is the same for every search.
        """
        judged = [self._judgements(config) for config in self._front(history)]
        num_judges = len(judged[0]) if judged else 0
        if num_judges < 2:
            return 0.0
        objectives = self._service.objectives
        improvements = [
            hypervolume(np.array([losses(objectives, js[k]) for js in judged]), self._default)
            for k in range(num_judges)
        ]
        return float(np.std(improvements, ddof=1) / np.sqrt(num_judges))

    def curve(self, history: Sequence[TrialRecord]) -> list[float]:
        """Return the improvement after each trial, the first of which is the default or 0."""
        return [self._improvement(history[: n + 1]) for n in range(len(history))]

    def _improvement(self, history: Sequence[TrialRecord]) -> float:
        rows = [self._losses(config) for config in self._front(history)]
        return hypervolume(np.array(rows), self._default) if rows else 0.0

    def _front(self, history: Sequence[TrialRecord]) -> list[Config]:
        """List what measured best, as far as it runs for the judges."""
        records = measured(history, self._service.objectives)
        if not records:
            return []
        on_front = is_nondominated(loss_matrix(records, self._service.objectives))
        configs = [record.config for record, on in zip(records, on_front, strict=True) if on]
        return [config for config in configs if self._judgements(config)]

    def _losses(self, config: Config) -> FloatArray:
        return np.array(losses(self._service.objectives, self.metrics(config)))


def hypervolume(points: FloatArray, default: FloatArray) -> float:
    """Return the share of the default's box that points dominate; for one loss, relative gain.

    Args:
        points: Losses, shape [n, m].
        default: The default's, shape [m].
    """
    scaled = points / np.abs(default)
    return float(HV(ref_point=np.sign(default))(scaled))


def _seeming_improvement(service: Service, history: Sequence[TrialRecord]) -> float:
    records = measured(history, service.objectives)
    defaults = [i for i, record in enumerate(records) if record.role is Role.DEFAULT]
    if not defaults:
        return 0.0
    points = loss_matrix(records, service.objectives)
    return hypervolume(points, points[defaults[0]])
