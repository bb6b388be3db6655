"""The agenda: order of trials, retries, confirmation, and resuming."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.attempts import MAX_ATTEMPTS, MAX_NODES_LOST
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.journal import History
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from searchers.agenda import MAX_GIVEN_UP, Agenda, Pause, stop_reason
from searchers.pace import Fits

LATENCY = Objective("latency_p95_s", "min")
DISK_FULL = Failure(Phase.LOAD, "disk_full", "the disk is full")
NODE_LOST = Failure(Phase.LOAD, "node_lost", "the node went away")


class CountingOptimizer:
    """Propose 0, 1, 2, ... by the number of configurations it has seen."""

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        usable = [r for r in history if r.state is not TrialState.FAILED]
        return [{"x": len(usable) + len(pending)} for _ in range(num)]


@dataclass
class Bench:
    """Play Ray Tune's part: hand out assignments and finish them."""

    agenda: Agenda
    trials: list[TrialRecord] = field(default_factory=list)
    unfinished: list[Assignment] = field(default_factory=list)
    running: list[int] = field(default_factory=list)
    num_known: int = 0

    @property
    def history(self) -> History:
        trials, unfinished = tuple(self.trials), tuple(self.unfinished)
        return History({}, trials, unfinished, num_known=self.num_known)

    def next(self, fits: Fits = lambda config: True) -> Assignment | Pause:
        following = self.agenda.next(self.history, self.running)
        if isinstance(following, Pause):
            return following
        for assignment in following:
            if assignment not in self.unfinished:
                self.unfinished.append(assignment)
                self.num_known = len(self.trials)
        chosen = self.agenda.choose(following, fits)
        self.running.append(chosen.number)
        return chosen

    def take(self, fits: Fits = lambda config: True) -> Assignment:
        following = self.next(fits)
        assert isinstance(following, Assignment), following
        return following

    def finish(self, assignment: Assignment, outcome: Outcome | None = None) -> None:
        outcome = outcome or Outcome(
            TrialState.COMPLETE, {"latency_p95_s": 10.0 - assignment.config["x"]}
        )
        self.unfinished.remove(assignment)
        self.running.remove(assignment.number)
        self.trials.append(
            TrialRecord(
                assignment.number,
                assignment.config,
                outcome.state,
                outcome.metrics,
                role=assignment.role,
                failure=outcome.failure,
                seed=assignment.seed,
            )
        )

    def fail(self, assignment: Assignment, failure: Failure = DISK_FULL) -> None:
        self.finish(assignment, Outcome(TrialState.FAILED, failure=failure))


def bench(num_observations: int = 3, num_confirmations: int = 2, **options: Any) -> Bench:
    agenda = Agenda(
        CountingOptimizer(), (LATENCY,), (), num_observations, num_confirmations, seed=7, **options
    )
    return Bench(agenda)


def test_default_then_observations_then_confirmations() -> None:
    table = bench()
    roles = []
    while isinstance(following := table.next(), Assignment):
        roles.append(following.role)
        table.finish(following)
    assert roles == [Role.DEFAULT] + [Role.SEARCH] * 3 + [Role.CONFIRM] * 2
    assert table.next() is Pause.FINISHED
    assert table.agenda.is_finished(table.history)
    assert [r.config["x"] for r in table.trials if r.role is Role.CONFIRM] == [3, 3]


def test_confirmation_waits_for_the_last_search_trial() -> None:
    table = bench(num_observations=1)
    first, second = table.take(), table.take()
    assert table.next() is Pause.WAIT
    table.finish(first)
    assert table.next() is Pause.WAIT
    table.finish(second)
    assert table.take().role is Role.CONFIRM


def test_every_trial_has_its_own_number_and_seed() -> None:
    table = bench(num_observations=4)
    taken = [table.take() for _ in range(5)]
    assert [a.number for a in taken] == [0, 1, 2, 3, 4]
    assert len({a.seed for a in taken}) == 5


def test_interrupted_assignments_come_first_under_their_own_numbers() -> None:
    table = bench()
    interrupted = [table.take(), table.take()]
    table.running.clear()
    assert [table.take(), table.take()] == interrupted
    assert table.take().number == 2


def test_a_failed_trial_is_run_again_and_not_counted() -> None:
    table = bench(num_observations=1, num_confirmations=0)
    default = table.take()
    table.fail(default)
    again = table.take()
    assert (again.config, again.role) == (default.config, Role.DEFAULT)
    assert again.number != default.number
    table.finish(again)
    table.finish(table.take())
    assert table.next() is Pause.FINISHED


def test_a_failed_trial_is_not_run_twice_at_once() -> None:
    table = bench()
    table.fail(table.take())
    again = table.take()
    assert table.take().config != again.config


def test_infeasible_counts_as_an_observation_and_is_not_retried() -> None:
    table = bench(num_observations=1, num_confirmations=0)
    out_of_memory = Failure(Phase.START, "out_of_memory", "out of memory")
    table.finish(table.take(), Outcome(TrialState.INFEASIBLE, failure=out_of_memory))
    table.finish(table.take())
    assert table.next() is Pause.FINISHED


def test_a_study_with_a_default_that_cannot_run_stops() -> None:
    table = bench()
    for _ in range(MAX_ATTEMPTS):
        table.fail(table.take())
    assert table.next() is Pause.FINISHED
    assert "the disk is full" in str(stop_reason(table.trials))


def test_machines_that_go_away_are_forgiven_more_often() -> None:
    table = bench()
    for _ in range(MAX_NODES_LOST - 1):
        table.fail(table.take(), NODE_LOST)
    assert stop_reason(table.trials) is None
    table.finish(again := table.take())
    assert again.role is Role.DEFAULT


def test_not_for_ever() -> None:
    table = bench()
    for _ in range(MAX_NODES_LOST):
        table.fail(table.take(), NODE_LOST)
    assert table.next() is Pause.FINISHED


def test_a_study_stops_when_failures_no_longer_look_like_chance() -> None:
    table = bench(num_observations=30)
    table.finish(table.take())
    for _ in range(MAX_ATTEMPTS * MAX_GIVEN_UP):
        assert stop_reason(table.trials) is None
        table.fail(table.take())
    assert stop_reason(table.trials) is not None
    assert table.next() is Pause.FINISHED


def test_a_fatal_failure_stops_the_study_once_running_trials_ended() -> None:
    table = bench()
    first, second = table.take(), table.take()
    table.fail(first, Failure(Phase.START, "weights", "no weights", fatal=True))
    assert table.next() is Pause.WAIT
    table.finish(second)
    assert table.next() is Pause.FINISHED


def test_a_resumed_study_may_have_more_observations() -> None:
    table = bench(num_observations=1, num_confirmations=1)
    while isinstance(following := table.next(), Assignment):
        table.finish(following)
    table.agenda = bench(num_observations=2, num_confirmations=1).agenda
    assert table.take().role is Role.SEARCH


def run_to_the_end(table: Bench) -> list[Assignment]:
    taken = []
    while isinstance(following := table.next(), Assignment):
        taken.append(following)
        table.finish(following)
    assert table.next() is Pause.FINISHED
    assert table.agenda.is_finished(table.history)
    return taken


def test_every_finalist_meets_the_same_arrival_orders_which_no_other_trial_has() -> None:
    taken = run_to_the_end(bench(num_observations=4, num_finalists=3))
    confirmations = [a for a in taken if a.role is Role.CONFIRM]
    assert [a.config["x"] for a in confirmations] == [4, 3, 2, 4, 3, 2]
    orders = {x: [a.seed for a in confirmations if a.config["x"] == x] for x in (4, 3, 2)}
    assert orders[4] == orders[3] == orders[2]
    assert len(set(orders[4])) == 2
    assert not set(orders[4]) & {a.seed for a in taken if a.role is not Role.CONFIRM}


def test_the_default_is_measured_at_the_start_half_way_and_at_the_end() -> None:
    taken = run_to_the_end(bench(num_observations=4, num_confirmations=1, num_drift_tests=2))
    assert [a.role.value for a in taken] == [
        "default", "search", "search", "drift", "search", "search", "confirm", "drift",
    ]  # fmt: skip
    assert {a.config["x"] for a in taken if a.role in (Role.DEFAULT, Role.DRIFT)} == {0}


def test_a_default_that_crashed_is_not_measured_again() -> None:
    table = bench(num_observations=2, num_confirmations=0, num_drift_tests=2)
    out_of_memory = Failure(Phase.START, "out_of_memory", "out of memory")
    table.finish(table.take(), Outcome(TrialState.INFEASIBLE, failure=out_of_memory))
    assert {a.role for a in run_to_the_end(table)} == {Role.SEARCH}


def test_a_confirmation_that_failed_is_repeated_under_its_own_order_until_it_is_given_up() -> None:
    table = bench(num_observations=1, num_confirmations=1)
    table.finish(table.take())
    table.finish(table.take())
    attempts = []
    for _ in range(MAX_ATTEMPTS):
        attempts.append(table.take())
        table.fail(attempts[-1])
    assert {a.role for a in attempts} == {Role.CONFIRM}
    assert len({a.seed for a in attempts}) == 1
    assert table.next() is Pause.FINISHED


def test_a_finalist_that_crashed_is_not_confirmed_any_further() -> None:
    table = bench(num_observations=2, num_confirmations=3, num_finalists=2)
    for _ in range(3):
        table.finish(table.take())
    out_of_memory = Failure(Phase.LOAD, "out_of_memory", "out of memory")
    crashed = table.take()
    table.finish(crashed, Outcome(TrialState.INFEASIBLE, failure=out_of_memory))
    assert {a.config["x"] for a in run_to_the_end(table)} == {1}


def test_a_resumed_study_confirms_only_what_it_lacks() -> None:
    table = bench(num_observations=3, num_finalists=2)
    before = run_to_the_end(table)
    table.agenda = bench(num_observations=3, num_finalists=3).agenda
    assert [a.config["x"] for a in run_to_the_end(table)] == [1, 1]
    assert len(before) == 1 + 3 + 4


def test_only_tests_of_the_search_get_a_bar_made_of_what_was_known() -> None:
    table = bench(num_observations=3, num_finalists=1, num_drift_tests=2, early_stop=True)
    taken = run_to_the_end(table)
    assert {a.role for a in taken if a.bar is not None} == {Role.SEARCH}
    assert all(a.bar is not None for a in taken if a.role is Role.SEARCH)
    third = [a.bar for a in taken if a.role is Role.SEARCH][2]
    assert third is not None
    assert third.reference == (10.0,)
    assert third.rivals == ((8.0,),), "the best of x = 0, 1, 2"


def test_an_interrupted_test_keeps_its_bar() -> None:
    table = bench(early_stop=True)
    table.finish(table.take())
    interrupted, other = table.take(), table.take()
    table.finish(other)
    table.running.clear()
    assert table.take() == interrupted
