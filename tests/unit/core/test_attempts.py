"""Attempts at one configuration: budgets, and memory that runs out each time."""

import pytest

from scoot_ray.core.assignment import Role
from scoot_ray.core.attempts import (
    MAX_ATTEMPTS,
    MAX_NODES_LOST,
    NODE_LOST,
    SYSTEM_MEMORY,
    attempts_at,
    is_spent,
    judged,
)
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.trial import TrialRecord


def lost(cause: str) -> TrialRecord:
    failure = Failure(Phase.LOAD, cause, f"{cause}.")
    return TrialRecord(0, {"x": 1}, TrialState.FAILED, {}, failure=failure)


def outcome(cause: str, state: TrialState = TrialState.FAILED) -> Outcome:
    return Outcome(state, failure=Failure(Phase.LOAD, cause, f"{cause}."))


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        (["port_taken"] * (MAX_ATTEMPTS - 1), False),
        (["port_taken"] * MAX_ATTEMPTS, True),
        ([NODE_LOST] * (MAX_NODES_LOST - 1) + ["port_taken"] * (MAX_ATTEMPTS - 1), False),
        ([NODE_LOST] * MAX_NODES_LOST, True),
        ([], False),
    ],
)
def test_the_budget(causes: list[str], expected: bool) -> None:
    assert is_spent([lost(cause) for cause in causes]) is expected


def test_a_configuration_that_takes_its_machines_memory_each_time_is_infeasible() -> None:
    earlier = [lost(SYSTEM_MEMORY), lost(NODE_LOST), lost(SYSTEM_MEMORY)]
    last = judged(outcome(SYSTEM_MEMORY), earlier)
    assert last.state is TrialState.INFEASIBLE
    assert last.failure is not None
    assert "out of memory each of 3 times" in last.failure.message


@pytest.mark.parametrize(
    ("cause", "earlier"),
    [
        (SYSTEM_MEMORY, []),
        (SYSTEM_MEMORY, [SYSTEM_MEMORY]),
        (SYSTEM_MEMORY, [SYSTEM_MEMORY, NODE_LOST]),
        (SYSTEM_MEMORY, [SYSTEM_MEMORY, "actor_died"]),
        (SYSTEM_MEMORY, [NODE_LOST, NODE_LOST]),
        (NODE_LOST, [SYSTEM_MEMORY, SYSTEM_MEMORY]),
        ("actor_died", ["actor_died", "actor_died"]),
    ],
)
def test_nothing_less_is_a_label(cause: str, earlier: list[str]) -> None:
    assert judged(outcome(cause), [lost(c) for c in earlier]).state is TrialState.FAILED


def test_what_the_engine_said_of_itself_stays() -> None:
    infeasible = outcome("out_of_memory", TrialState.INFEASIBLE)
    assert judged(infeasible, [lost(SYSTEM_MEMORY)] * 2) is infeasible


def test_attempts_are_those_of_one_configuration_in_one_role() -> None:
    trials = [
        TrialRecord(0, {"x": 1}, TrialState.FAILED, {}),
        TrialRecord(1, {"x": 2}, TrialState.FAILED, {}),
        TrialRecord(2, {"x": 1}, TrialState.FAILED, {}, role=Role.CONFIRM),
    ]
    assert attempts_at({"x": 1}, Role.SEARCH, trials) == trials[:1]
