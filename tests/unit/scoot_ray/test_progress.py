"""What is printed while a study runs."""

import pickle
from dataclasses import replace

import pytest

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from scoot_ray.progress import Progress
from tests.unit.scoot_ray.results import OBJECTIVES, crashed, trial


@pytest.fixture
def progress() -> Progress:
    return Progress(objectives=OBJECTIVES, default={"max_num_seqs": 0}, num_trials=5)


def test_a_trial_is_compared_with_the_default(
    progress: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.finished(trial(0, 1.0, 0.1, Role.DEFAULT))
    progress.finished(trial(1, 0.5, 0.2))
    default, second = capsys.readouterr().out.splitlines()
    assert "1/5" in default
    assert "%" not in default
    assert "ttft_mean_s 500 ms (+50.0%)" in second
    assert "tpot_mean_s 200 ms (-100.0%)" in second


@pytest.mark.parametrize(("lag_s", "is_told"), [(0.018, True), (0.01, False)])
def test_a_load_that_was_sent_late_is_marked(
    progress: Progress, capsys: pytest.CaptureFixture[str], lag_s: float, is_told: bool
) -> None:
    record = trial(1, 0.5, 0.2)
    late = replace(record, metrics={**record.metrics, "schedule_lag_p99_s": lag_s})
    progress.finished(late)
    assert capsys.readouterr().out.endswith(", requests sent 18 ms late\n") is is_told


def test_a_trial_is_announced_by_what_differs_from_the_default(
    progress: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.started(Assignment(4, Role.SEARCH, {"max_num_seqs": 4}, seed=0))
    assert capsys.readouterr().out.endswith("trial 4   started    max_num_seqs=4\n")


def test_a_crash_says_why(progress: Progress, capsys: pytest.CaptureFixture[str]) -> None:
    progress.finished(crashed(3))
    assert "INFEASIBLE" in (line := capsys.readouterr().out)
    assert "It ran out of memory." in line


def test_an_engines_last_lines_are_shown(
    progress: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.finished(crashed(3, "one", "two", "three", "four"))
    assert capsys.readouterr().out.splitlines()[1:] == ["    | two", "    | three", "    | four"]


def test_a_failure_that_was_not_repeated_is_told_as_well(
    progress: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    at_first = Failure(Phase.LOAD, "engine_exited", "It ended.", ("what it said last",))
    progress.finished(replace(trial(1, 0.5, 0.2), first_failure=at_first))
    line, last = capsys.readouterr().out.splitlines()
    assert line.endswith("tpot_mean_s 200 ms. Run again, because at first: It ended.")
    assert last == "    | what it said last"


def test_a_failed_trial_does_not_count(progress: Progress) -> None:
    progress.finished(TrialRecord(0, {"max_num_seqs": 0}, TrialState.FAILED, {}))
    assert progress.num_finished == 0


def test_a_resumed_study_goes_on_counting(progress: Progress) -> None:
    progress.resume([trial(0, 1.0, 0.1, Role.DEFAULT), trial(1, 0.5, 0.2)])
    assert progress.num_finished == 2
    assert progress.reference["ttft_mean_s"] == 1.0


def test_it_can_be_pickled_with_the_experiment(progress: Progress) -> None:
    assert pickle.loads(pickle.dumps(progress)) == progress
