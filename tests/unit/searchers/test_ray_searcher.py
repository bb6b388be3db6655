"""Ray Tune's questions answered from the journal."""

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
from searchers.ray_searcher import RaySearcher

LATENCY = Objective("latency_p95_s", "min")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write_study({"name": "x"})
    return journal


def searcher(journal: Journal) -> RaySearcher:
    space = SearchSpace([IntegerParameter("x", 0, 99)], {"x": 50})
    optimizer = make_optimizer("random", space, (LATENCY,), seed=0)
    return RaySearcher(Agenda(optimizer, (LATENCY,), (), 2, 0, seed=0), journal)


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
