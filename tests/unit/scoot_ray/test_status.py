"""Where a running study stands, in words, and how the terminal shows it."""

import io

import pytest
from rich.console import Console

from scoot_ray.core.failure import Phase
from scoot_ray.core.journal import History
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from scoot_ray.live_view import draw, is_wanted
from scoot_ray.status import Running, Status
from tests.unit.scoot_ray.reports import made_up_history, made_up_study, made_up_trials

STUDY = made_up_study(objective="interactive")


def status(history: History, *running: Running, num_before: int = 0) -> Status:
    return Status.of(
        STUDY, history, running, num_planned=20, num_before=num_before, elapsed_s=600.0
    )


@pytest.fixture
def history() -> History:
    return made_up_history(STUDY, made_up_trials(STUDY, 10)[:10])


def test_trials_are_counted_by_how_they_ended(history: History) -> None:
    num_crashed = sum(r.state is TrialState.INFEASIBLE for r in history.trials)
    assert num_crashed > 0
    lost = TrialRecord(10, {}, TrialState.FAILED, {})
    text = status(made_up_history(STUDY, [*history.trials, lost])).counts
    assert text == (f"{10 - num_crashed} of 20 done, 0 running, {num_crashed} infeasible, 1 failed")


def test_time_left_goes_by_this_run_alone(history: History) -> None:
    assert status(history).spending.endswith("10 min, about 10 min left")
    assert status(history, num_before=5).spending.endswith("10 min, about 20 min left")
    assert status(history, num_before=10).spending.endswith("10 min")


def test_gpus_of_running_trials_are_counted_while_they_are_held(history: History) -> None:
    empty = made_up_history(STUDY, [])
    assert status(empty, Running("trial 0", 4, 1800.0)).spending.startswith("2 GPU hours")


def test_the_best_is_set_against_the_default(history: History) -> None:
    assert "ttft_mean_s" in status(history).best
    assert "%" in status(history).best
    assert status(made_up_history(STUDY, [])).best == "nothing has completed yet"
    assert {row[0] for row in status(history).front} <= {str(r.number) for r in history.trials}


@pytest.mark.parametrize(
    ("phase", "phase_s", "text"),
    [
        (None, 0.0, "running 50 s"),
        (Phase.START, 43.0, "starting 43 s"),
        (Phase.WARM_UP, 2.0, "warming up 2 s"),
        (Phase.LOAD, 61.0, "load 61%"),
        (Phase.LOAD, 161.0, "load 100%"),
        (Phase.DRAIN, 5.0, "draining 5 s"),
    ],
)
def test_what_a_running_trial_does(phase: Phase | None, phase_s: float, text: str) -> None:
    assert Running("trial 1", 1, 50.0, phase, phase_s).describe(load_s=100.0) == text


def test_the_view_shows_markup_as_it_is_written(history: History) -> None:
    hostile = Running("trial 3: [red]model=[/red]\x1b[31m", 1, 50.0, Phase.LOAD, 61.0)
    stream = io.StringIO()
    view = draw("made-up", status(history, hostile), [o.metric for o in STUDY.objectives])
    Console(file=stream, width=200, force_terminal=False).print(view)
    text = stream.getvalue()
    assert "trial 3: [red]model=[/red]" in text
    assert "load 61%" in text
    assert "\x1b" not in text
    assert "0 failed" in text


def test_nobody_watches_a_file_a_dumb_terminal_or_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert is_wanted(Console(force_terminal=True))
    assert not is_wanted(Console(file=io.StringIO()))
    monkeypatch.setenv("CI", "true")
    assert not is_wanted(Console(force_terminal=True))
    monkeypatch.delenv("CI")
    monkeypatch.setenv("TERM", "dumb")
    assert not is_wanted(Console(force_terminal=True))
