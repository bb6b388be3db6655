"""When the search is asked: at once, ahead of time, or batch by batch."""

import pickle
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer
from searchers.agenda import Agenda, Pause
from searchers.pace import PACES, Ahead, Batches, OneByOne, Pace, Searched, WarmFirst
from tests.unit.searchers.spaces import VLLM, make_history, measure
from tests.unit.searchers.test_agenda import Bench

TTFT = Objective("ttft_mean_s", "min")


class Listening:
    """Propose what the question was, and say from which thread it was asked."""

    def __init__(self) -> None:
        self.asked_from: list[str] = []

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        self.asked_from.append(threading.current_thread().name)
        known, waiting = [r.number for r in history], [c["x"] for c in pending]
        return [{"x": i, "known": known, "pending": waiting} for i in range(num)]


def searched(num_finished: int, num_known: int, *pending: int, num_wanted: int = 9) -> Searched:
    trials = tuple(
        TrialRecord(i, {"x": i}, TrialState.COMPLETE, {"ttft_mean_s": 1.0})
        for i in range(num_finished)
    )
    return Searched(trials, tuple({"x": x} for x in pending), (), num_wanted, num_known)


def study(pace: Pace, seed: int = 0) -> Bench:
    optimizer = make_optimizer("scoot", VLLM, [TTFT], seed=seed)
    return Bench(Agenda(optimizer, (TTFT,), (), 14, 0, seed=seed, pace=pace))


def finish(table: Bench, number: int) -> None:
    [assignment] = [a for a in table.unfinished if a.number == number]
    table.unfinished.remove(assignment)
    table.running.remove(number)
    metrics = measure(VLLM, assignment.config)
    table.trials.append(
        TrialRecord(number, assignment.config, TrialState.COMPLETE, metrics, role=assignment.role)
    )


def test_one_by_one_knows_everything() -> None:
    assert OneByOne().suggest(Listening(), searched(3, 1, 3)) == [
        {"x": 0, "known": [0, 1, 2], "pending": [3]}
    ]


def test_ahead_takes_what_finished_since_for_pending() -> None:
    before, after = searched(2, 2, 2, 3), searched(3, 2, 3)
    expected = [{"x": 0, "known": [0, 1], "pending": [2, 3]}]
    assert Ahead().suggest(Listening(), before) == expected
    assert Ahead().suggest(Listening(), after) == expected


def test_what_was_prepared_is_not_computed_again() -> None:
    pace, optimizer = Ahead(), Listening()
    pace.prepare(optimizer, searched(2, 2, 2, 3))
    pace.prepare(optimizer, searched(2, 2, 2, 3))
    expected = Ahead().suggest(Listening(), searched(3, 2, 3))
    assert pace.suggest(optimizer, searched(3, 2, 3)) == expected
    assert len(optimizer.asked_from) == 1
    assert optimizer.asked_from[0].startswith("suggestion")


def test_another_question_is_computed_anew() -> None:
    pace, optimizer = Ahead(), Listening()
    pace.prepare(optimizer, searched(2, 2, 2))
    assert pace.suggest(optimizer, searched(4, 4, 9))[0]["known"] == [0, 1, 2, 3]


def test_an_optimiser_that_fails_ahead_fails_when_it_is_asked() -> None:
    class Broken:
        def suggest(self, *_: object) -> list[dict[str, Any]]:
            raise ValueError("no valid point")

    pace = Ahead()
    pace.prepare(Broken(), searched(2, 2, 2))
    with pytest.raises(ValueError, match="no valid point"):
        pace.suggest(Broken(), searched(3, 2))


@pytest.mark.parametrize("pace", [Ahead(), OneByOne(), Batches(3), WarmFirst(3)])
def test_paces_are_pickled(pace: Pace) -> None:
    pace.prepare(Listening(), searched(2, 2, 2))
    again = pickle.loads(pickle.dumps(pace))
    question = searched(3, 2)
    assert again.suggest(Listening(), question) == pace.suggest(Listening(), question)


def test_one_slot_waits_and_more_slots_look_ahead() -> None:
    assert isinstance(PACES["asynchronous"](1), OneByOne)
    assert isinstance(PACES["asynchronous"](2), Ahead)
    assert PACES["batch"](4) == Batches(4)
    assert PACES["warm_first"](4) == WarmFirst(4)


class TestBatches:
    def test_a_batch_is_asked_for_when_nothing_runs(self) -> None:
        table = study(Batches(3))
        numbers = [table.take().number for _ in range(3)]
        assert numbers == [0, 1, 2]
        assert table.next() is Pause.WAIT
        for number in (2, 0):
            finish(table, number)
            assert table.next() is Pause.WAIT
        finish(table, 1)
        assert table.take().number == 3

    def test_a_batch_is_one_question_to_the_optimiser(self) -> None:
        table = study(Batches(3))
        history = make_history(VLLM, 12)
        table.trials += history
        expected = make_optimizer("scoot", VLLM, [TTFT], seed=0).suggest(history, [], 3)
        assert [table.take().config for _ in range(3)] == expected

    def test_an_interrupted_batch_is_gone_on_with(self) -> None:
        table = study(Batches(3))
        assert table.take().role is Role.DEFAULT
        table.running.clear()  # the driver died and was started again
        assert [table.take().number for _ in range(3)] == [0, 1, 2]
        assert table.next() is Pause.WAIT

    def test_the_last_batch_is_as_large_as_what_is_lacking(self) -> None:
        table = study(Batches(4))
        table.trials += make_history(VLLM, 13)
        assert [table.take().number for _ in range(2)] == [13, 14]
        assert table.next() is Pause.WAIT


class TestWarmFirst:
    WAITING = tuple(Assignment(n, Role.SEARCH, {"x": n}, seed=0) for n in (4, 5, 6))

    def test_the_earliest_that_fits_goes_first_or_else_the_earliest(self) -> None:
        pace = WarmFirst(3)
        assert pace.choose(self.WAITING, lambda config: config["x"] > 4).number == 5
        assert pace.choose(self.WAITING, lambda config: False).number == 4

    @pytest.mark.parametrize("pace", [Ahead(), OneByOne(), Batches(3)])
    def test_the_others_do_not_look_at_the_nodes(self, pace: Pace) -> None:
        assert pace.choose(self.WAITING, lambda config: config["x"] > 4).number == 4

    def test_a_stock_is_used_up_before_the_next_is_asked_for(self) -> None:
        table = study(WarmFirst(3))
        table.trials += make_history(VLLM, 12)
        first = [table.take(fits=lambda config: False)]
        stock = list(table.unfinished)
        assert [each.number for each in stock] == [12, 13, 14]
        last = stock[-1].config
        first.append(table.take(fits=lambda config: config == last))
        first.append(table.take(fits=lambda config: False))
        assert [each.number for each in first] == [12, 14, 13]

    def test_a_stock_that_was_begun_is_gone_on_with(self) -> None:
        table = study(WarmFirst(3))
        table.take()
        asked_for = list(table.unfinished)
        table.running.clear()  # the driver died and was started again
        assert [table.take() for _ in range(3)] == asked_for
        assert table.take().number == 3


def test_looking_ahead_goes_on_after_a_restart_as_if_nothing_had_happened() -> None:
    def run(restart_at: int) -> list[Assignment]:
        table, taken = study(Ahead()), []
        running: list[int] = []
        for step in range(15):
            if step == restart_at:
                table.agenda = study(Ahead()).agenda  # a new process: nothing is prepared
            if len(running) == 3:
                finish(table, running.pop(step % 3))
            assignment = table.take()
            table.agenda.prepare(table.history)
            running.append(assignment.number)
            taken.append(assignment)
        return taken

    undisturbed = run(restart_at=-1)
    assert run(restart_at=9) == undisturbed
    assert len({str(assignment.config) for assignment in undisturbed}) == 15
