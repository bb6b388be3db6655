"""Ray Tune's questions answered from the journal."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from ray.tune.search import Searcher

from scoot_ray.core.journal import Journal
from scoot_ray.core.objective import Objective
from scoot_ray.core.space import IntegerParameter, SearchSpace
from scoot_ray.core.trial import Assignment, Role, TrialRecord, TrialState
from searchers import make_optimizer
from searchers.agenda import Agenda
from searchers.pace import Ahead, Batches
from searchers.ray_searcher import RaySearcher

LATENCY = Objective("latency_p95_s", "min")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write_study({"name": "x"})
    return journal


def searcher(journal: Journal, **options: Any) -> RaySearcher:
    space = SearchSpace([IntegerParameter("x", 0, 99)], {"x": 50})
    optimizer = make_optimizer("random", space, (LATENCY,), seed=0)
    return RaySearcher(Agenda(optimizer, (LATENCY,), (), 2, 0, seed=0, **options), journal)


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
