"""Trial records: JSON round trips, what an outcome must hold, seeds."""

import json
from dataclasses import replace

import pytest

from scoot_ray.core.assignment import Assignment, Role, trial_seed
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.trial import TrialRecord

FAILURE = Failure(Phase.START, "out_of_memory", "Out of memory.", ("line",), fatal=True)


def test_records_round_trip_through_json() -> None:
    record = TrialRecord(
        number=3,
        config={"x": 1, "y": True, "z": "a"},
        state=TrialState.INFEASIBLE,
        metrics={},
        role=Role.CONFIRM,
        failure=FAILURE,
        phases_s={"start": 2.5},
        seed=7,
        trial_id="abc",
        num_gpus=2,
        gpu_seconds=5.0,
        is_bound=True,
        early_stop="its mean TTFT can no longer be good enough",
        first_failure=FAILURE,
    )
    assert TrialRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
    outcome = Outcome(TrialState.INFEASIBLE, failure=FAILURE, phases_s={"start": 2.5})
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome
    complete = Outcome(TrialState.COMPLETE, {"ttft_mean_s": 0.5}, first_failure=FAILURE)
    assert Outcome.from_json(json.loads(json.dumps(complete.to_json()))) == complete
    assignment = Assignment(1, Role.DEFAULT, {"x": 1}, 5)
    assert Assignment.from_json(json.loads(json.dumps(assignment.to_json()))) == assignment


def test_the_four_first_fields_are_enough() -> None:
    record = TrialRecord(number=0, config={}, state=TrialState.COMPLETE, metrics={"m": 1.0})
    assert record.role is Role.SEARCH
    assert TrialRecord.from_json(record.to_json()) == record


def test_a_record_notes_what_a_person_should_know() -> None:
    fine = TrialRecord(0, {}, TrialState.COMPLETE, {"m": 1.0})
    assert (fine.note, fine.mishap) == ("", None)
    ended = replace(fine, early_stop="Hopeless.")
    assert ended.note == "Hopeless."
    again = replace(ended, first_failure=FAILURE)
    assert again.note == "Hopeless. Run again, because at first: Out of memory."
    twice = replace(again, failure=replace(FAILURE, message="It ended."))
    assert twice.note == "It ended."
    assert (again.mishap, twice.mishap) == (FAILURE, twice.failure)


def test_an_outcome_holds_what_its_state_promises() -> None:
    with pytest.raises(ValueError, match="needs metrics"):
        Outcome(TrialState.COMPLETE)
    for state in (TrialState.INFEASIBLE, TrialState.FAILED):
        with pytest.raises(ValueError, match="needs a failure"):
            Outcome(state)
        assert Outcome(state, failure=FAILURE).failure == FAILURE
    assert Outcome(TrialState.CANCELLED).metrics == {}
    with pytest.raises(ValueError, match="has no bounds"):
        Outcome(TrialState.INFEASIBLE, failure=FAILURE, is_bound=True)


def test_an_outcome_of_bounds_says_why() -> None:
    outcome = Outcome(TrialState.COMPLETE, {"ttft_mean_s": 9.0}, is_bound=True, early_stop="late")
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


def test_seeds_differ_by_study_and_trial_and_repeat() -> None:
    seeds = {trial_seed(study, number) for study in range(5) for number in range(20)}
    assert len(seeds) == 100
    assert trial_seed(1, 2) == trial_seed(1, 2)
