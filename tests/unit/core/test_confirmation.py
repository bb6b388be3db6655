"""Which finalist is the answer, and what is promised of it."""

from scoot_ray.core.assignment import Role
from scoot_ray.core.confirmation import Repeats, confirmed
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import finalists
from scoot_ray.core.trial import TrialRecord

LATENCY = (Objective("latency_p95_s", "min"),)


def trial(number: int, x: int, value: float, role: Role = Role.SEARCH) -> TrialRecord:
    metrics = {"latency_p95_s": value, "throughput_rps": 1 / value}
    return TrialRecord(number, {"x": x}, TrialState.COMPLETE, metrics, role=role)


def crash(number: int, x: int) -> TrialRecord:
    return TrialRecord(number, {"x": x}, TrialState.INFEASIBLE, {}, role=Role.CONFIRM)


SEARCH = [trial(0, 0, 10, Role.DEFAULT), trial(1, 1, 4), trial(2, 2, 5), trial(3, 3, 12)]
LUCKY = [trial(4 + i, 1, value, Role.CONFIRM) for i, value in enumerate((8, 9, 7))]
STEADY = [trial(7 + i, 2, value, Role.CONFIRM) for i, value in enumerate((6, 5, 6))]


def chosen(trials: list[TrialRecord], *limits: Limit) -> int:
    recommendation = confirmed(trials, LATENCY, limits)
    assert recommendation is not None
    return recommendation.record.number


def test_finalists_are_the_best_that_beat_the_default() -> None:
    assert [r.number for r in finalists(SEARCH, LATENCY, (), 3)] == [1, 2]
    assert [r.number for r in finalists(SEARCH[:1] + SEARCH[3:], LATENCY, (), 3)] == [0]


def test_a_configuration_that_was_measured_twice_is_one_finalist() -> None:
    assert [r.number for r in finalists([*SEARCH, trial(9, 1, 4.5)], LATENCY, (), 3)] == [1, 2]


def test_without_confirmations_the_search_decides() -> None:
    assert chosen(SEARCH) == 1
    assert confirmed([], LATENCY) is None


def test_a_lucky_first_gives_way_to_a_steady_second() -> None:
    assert chosen([*SEARCH, *LUCKY, *STEADY]) == 2


def test_a_finalist_that_crashed_gives_way() -> None:
    assert chosen([*SEARCH, crash(4, 1), *STEADY]) == 2
    assert chosen([*SEARCH, crash(4, 1)]) == 1, "nothing else is known; the verdict says so"


def test_the_default_stands_when_its_repeated_tests_are_not_beaten() -> None:
    drift = [trial(20, 0, 5.0, Role.DRIFT), trial(21, 0, 4.0, Role.DRIFT)]
    assert chosen([*SEARCH, *LUCKY, *drift]) == 0


def test_limits_hold_in_the_worst_order() -> None:
    rare = [trial(7 + i, 2, value, Role.CONFIRM) for i, value in enumerate((1, 1, 9.5))]
    assert chosen([*SEARCH, *LUCKY, *rare]) == 2
    assert chosen([*SEARCH, *LUCKY, *rare], Limit("latency_p95_s", 9.0)) == 1


def test_repeats_tell_mean_and_worst_by_the_metric_s_direction() -> None:
    repeats = Repeats.of([*SEARCH, *STEADY], {"x": 2}, Role.CONFIRM)
    assert repeats.is_sound
    assert repeats.mean()["latency_p95_s"] == 17 / 3
    assert repeats.worst() == {"latency_p95_s": 6, "throughput_rps": 1 / 6}
    assert not Repeats((*repeats.tests, crash(9, 2))).is_sound
    assert not Repeats(()).is_sound
