"""The end of a window, by a clock that the test turns."""

import pickle
import threading
from datetime import UTC, datetime, timedelta

import pytest

from cluster.offpeak import Window
from scoot_ray.closing import OVERHEAD_S, STOP_S, Closing, expected_trial_s, utc_now
from scoot_ray.core.errors import StudyError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.journal import History
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import parse_study
from scoot_ray.core.trial import TrialRecord
from tests.integration.studies import STUDY

OPENS = datetime(2026, 11, 21, 22, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=8)
study = parse_study(STUDY)


def trial(number: int, state: TrialState = TrialState.COMPLETE, **phases_s: float) -> TrialRecord:
    failure = None if state is TrialState.COMPLETE else Failure(Phase.LOAD, "x", "x")
    return TrialRecord(number, {}, state, {"a": 1.0}, failure=failure, phases_s=phases_s)


def closing(before_close_s: float) -> Closing:
    return Closing(study, Window(OPENS, CLOSES), lambda: CLOSES - timedelta(seconds=before_close_s))


def test_a_trial_is_expected_to_take_as_long_as_the_longest_so_far() -> None:
    trials = [
        trial(0, start=60, load=100),
        trial(1, start=10, load=100),
        trial(2, TrialState.INFEASIBLE, start=200),
        trial(3, TrialState.FAILED, start=900),
    ]
    assert expected_trial_s(study, trials) == 200 + OVERHEAD_S


def test_before_anything_is_measured_the_time_outs_are_believed() -> None:
    allowed_s = 10 + 300 + 900
    assert expected_trial_s(study, []) == allowed_s + OVERHEAD_S


def test_no_trial_starts_that_cannot_finish() -> None:
    history = History({}, (trial(0, start=60, load=100),), ())
    needed_s = 160 + OVERHEAD_S + STOP_S
    assert closing(needed_s).allows_another(history)
    assert not closing(needed_s - 1).allows_another(history)


def test_a_window_without_room_for_one_trial_is_refused() -> None:
    short = Closing(study, Window(OPENS, OPENS + timedelta(minutes=15)), utc_now)
    with pytest.raises(StudyError, match=r"schedule: the window is 900 s long.*may take 1225 s"):
        short.require_room([])
    short.require_room([trial(0, start=60, load=100)])
    closing(60).require_room([])


def test_what_overruns_is_stopped() -> None:
    stopped = threading.Event()
    with closing(STOP_S + OVERHEAD_S + 0.1).enforced(stopped.set):
        assert stopped.wait(60)


@pytest.mark.parametrize("before_close_s", [STOP_S + 3600, STOP_S + 1, -1])
def test_nothing_is_stopped_after_the_end_or_before_anything_runs(before_close_s: float) -> None:
    stopped = threading.Event()
    with closing(before_close_s).enforced(stopped.set):
        pass
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())
    assert not stopped.is_set()


def test_it_can_be_sent_to_where_ray_tune_keeps_it() -> None:
    bound = pickle.loads(pickle.dumps(Closing(study, Window(OPENS, CLOSES)).allows_another))
    assert bound(History({}, (), ())) in (True, False)
