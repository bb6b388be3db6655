"""One search: time is virtual, degrees overlap trials, judging knows no luck."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison.algorithms import ALGORITHMS, InProcess, Setting
from benchmarks.comparison.closed_form import ClosedFormService
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.run import Run, Task
from benchmarks.comparison.search import search
from benchmarks.comparison.simulated import SimulatedService
from scoot_ray.core.errors import StudyError
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from searchers.random_search import RandomSearch

SERVICE = ClosedFormService("online", 0)
NO_PEERS = PeerEnvironment(Path("no-such-python"))


def run_search(algorithm: str, parallelism: int = 1, seed: int = 0) -> Run:
    task = Task(SERVICE.name, None, algorithm, parallelism, seed, 12)
    return search(task, SERVICE, ALGORITHMS[algorithm], NO_PEERS)


def test_the_same_task_gives_the_same_run() -> None:
    first, second = run_search("random"), run_search("random")
    timeless = [replace(r, suggestion_s=0.0, suggestion_p95_s=0.0) for r in (first, second)]
    assert timeless[0] == timeless[1]
    assert run_search("random", seed=1).curve != first.curve
    assert Run.from_json(first.to_json()) == first


def test_the_curve_starts_at_the_default_and_counts_every_observation() -> None:
    run = run_search("random")
    assert len(run.curve) == 13
    assert run.curve[0] == 0.0
    assert run.final > 0.0
    assert run.chosen["latency_p95_s"] < run.default["latency_p95_s"]


def test_repeating_the_default_seems_to_gain_and_does_not() -> None:
    run = run_search("repeated_default")
    assert run.seeming > 0.0
    assert run.curve == (0.0,) * 13


def test_trials_overlap_at_a_higher_degree() -> None:
    alone, four = run_search("random"), run_search("random", parallelism=4)
    assert alone.total_s / 5 < four.total_s < alone.total_s / 2


@dataclass
class Watched:
    """Remember how many trials were running at each question."""

    inner: RandomSearch
    questions: list[tuple[int, int]] = field(default_factory=list)

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        self.questions.append((len(pending), num))
        return self.inner.suggest(history, pending, num)


@pytest.mark.parametrize(
    ("in_batches", "running"), [(True, {0}), (False, {0, 2})], ids=["batches", "free slots"]
)
def test_batches_wait_for_the_last_trial(in_batches: bool, running: set[int]) -> None:
    watched = Watched(RandomSearch(SERVICE.space, SERVICE.objectives, seed=0))

    def make(setting: Setting) -> Watched:
        assert setting.batch_size == (3 if in_batches else 1)
        return watched

    task = Task(SERVICE.name, None, "watched", 3, 0, 11)
    # Trials of different lengths: every third one is short.
    service = Uneven(SERVICE.objective, SERVICE.number)
    search(task, service, InProcess(make, in_batches=in_batches), NO_PEERS)
    assert {count for count, _ in watched.questions} == running
    assert sum(num for _, num in watched.questions) == 12


class Uneven(ClosedFormService):
    """A service whose tests last between one and two minutes."""

    def measure(self, config: Config, seed: int) -> Any:
        outcome = super().measure(config, seed)
        return replace(outcome, phases_s={"load": 60.0 + seed % 61})


def test_a_simulated_service_is_loaded_by_what_saturates_its_default() -> None:
    service = SimulatedService("rec", "7b", 2, "L40S", "v1").at_stated_load()
    assert service.rate_rps is not None
    judged = service.judge(service.space.default)
    assert len(judged) == 8
    # Offline services get one and a half times what the default can do.
    assert all(metrics["throughput_rps"] < 0.8 * service.rate_rps for metrics in judged)
    assert service.name == "rec-7b-2xL40S-v1"


def test_a_peer_without_its_environment_is_told_how_to_get_it() -> None:
    with pytest.raises(StudyError, match="make peers"):
        run_search("optuna_tpe")
