"""Ray Tune's questions answered from the journal."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ray.tune.search import Searcher

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.journal import Journal
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config, IntegerParameter, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer
from searchers.agenda import Agenda
from searchers.pace import Ahead, Batches, WarmFirst
from searchers.ray_searcher import HasRoom, RaySearcher

LATENCY = Objective("latency_p95_s", "min")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write_study({"name": "x"})
    return journal


def searcher(journal: Journal, has_room: HasRoom | None = None, **options: Any) -> RaySearcher:
    space = SearchSpace([IntegerParameter("x", 0, 99)], {"x": 50})
    optimizer = make_optimizer("random", space, (LATENCY,), seed=0)
    agenda = Agenda(optimizer, (LATENCY,), (), 2, 0, seed=0, **options)
    return RaySearcher(agenda, journal, has_room=has_room)


def finish(journal: Journal, parameters: dict[str, Any]) -> None:
    assignment = Assignment.from_json(parameters)
    journal.write_trial(
        TrialRecord(
            assignment.number,
            assignment.config,
            TrialState.COMPLETE,
            {"latency_p95_s": 1.0},
            role=assignment.role,
        )
    )


def test_what_is_handed_out_is_journalled_first(journal: Journal) -> None:
    parameters = searcher(journal).suggest("a")
    assert parameters["config"] == {"x": 50}
    assert journal.read().unfinished == (Assignment.from_json(parameters),)
    assert Assignment.from_json(parameters).role is Role.DEFAULT


def test_it_waits_for_running_trials_then_finishes(journal: Journal) -> None:
    asked = searcher(journal)
    handed_out = [asked.suggest(name) for name in "abc"]
    assert asked.suggest("d") is None
    for name, parameters in zip("abc", handed_out, strict=True):
        asked.on_trial_complete(name, result={})
        finish(journal, parameters)
    assert asked.suggest("d") == Searcher.FINISHED


def test_a_fresh_searcher_hands_out_what_was_interrupted(journal: Journal) -> None:
    first = searcher(journal).suggest("a")
    assert searcher(journal).suggest("b") == first
    suggestions = [entry for entry in journal.entries() if entry["kind"] == "suggestion"]
    assert len(suggestions) == 1


def test_a_restored_searcher_knows_what_tune_goes_on_with(journal: Journal, tmp_path: Path) -> None:
    before = searcher(journal)
    handed_out = [before.suggest(name) for name in "ab"]
    before.save(str(tmp_path / "state.json"))
    after = searcher(journal)
    after.restore(str(tmp_path / "state.json"))
    assert after.suggest("c")["number"] == 2
    finish(journal, handed_out[0])
    after.on_trial_complete("a", result={})
    assert after.suggest("d") is None


def test_completions_of_unknown_trials_are_in_the_journal(journal: Journal) -> None:
    parameters = searcher(journal).suggest("a")
    finish(journal, parameters)  # while this searcher was not there
    fresh = searcher(journal)
    fresh.on_trial_complete("a", result={})
    fresh.on_trial_complete("never heard of", error=True)
    assert fresh.suggest("b")["number"] == 1


def test_it_is_pickled_while_a_suggestion_is_being_prepared(journal: Journal) -> None:
    asked = searcher(journal, pace=Ahead())
    asked.suggest("a")
    again = pickle.loads(pickle.dumps(asked))
    assert again.suggest("b") == asked.suggest("b")


def test_a_batch_is_journalled_whole(journal: Journal) -> None:
    asked = searcher(journal, pace=Batches(2))
    parameters = asked.suggest("a")
    batch = journal.read().unfinished
    assert [assignment.number for assignment in batch] == [0, 1]
    finish(journal, parameters)
    asked.on_trial_complete("a", result={})
    assert asked.suggest("b") == batch[1].to_json()
    assert asked.suggest("c") is None


def test_what_fits_beside_the_running_trials_goes_first(journal: Journal) -> None:
    asked: list[tuple[int, list[int]]] = []

    def has_room(config: Config, running: Sequence[Config]) -> bool:
        asked.append((config["x"], [each["x"] for each in running]))
        return bool(running) and config["x"] != stock[1].config["x"]

    warm = searcher(journal, has_room, pace=WarmFirst(3))
    assert warm.suggest("a")["number"] == 0  # nothing has room
    stock = journal.read().unfinished
    assert [each.number for each in stock] == [0, 1, 2]
    assert warm.suggest("b")["number"] == 2
    first, second, third = (each.config["x"] for each in stock)
    assert asked == [(first, []), (second, []), (third, []), (second, [first]), (third, [first])]
    again = searcher(journal, has_room, pace=WarmFirst(3))  # after a crash, with the same nodes
    assert [again.suggest(name)["number"] for name in "abc"] == [0, 2, 1]
