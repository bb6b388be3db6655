"""The simulated cluster, on cases whose outcome is known."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.cluster_model import Conditions, simulate
from benchmarks.cluster_scale import interpolated, make_trials


def conditions(**changes: Any) -> Conditions:
    usual: dict[str, Any] = {
        "num_gpus": 8,
        "preemptions_per_h": 0.0,
        "replacement_s": 100.0,
        "is_elastic": True,
        "head_cpus": 8,
        "suggestion_s": constant(0.0),
        "is_ahead": True,
    }
    return Conditions(**usual | changes)


def constant(seconds: float) -> Callable[[int], float]:
    return lambda _: seconds


def test_without_losses_and_waits_it_is_ideal() -> None:
    found = simulate(conditions(), [[(8, 10.0)] * 5], slots=2, seed=0)
    assert found.makespan_s == found.ideal_s == 50
    assert found.idle_share == found.lost_share == found.num_retries == 0


def test_slots_bound_what_runs_at_once() -> None:
    found = simulate(conditions(), [[(1, 10.0)] * 4], slots=2, seed=0)
    assert found.makespan_s == 20
    assert found.idle_share == pytest.approx(1 - 40 / 160)


def test_first_come_first_served_keeps_gpus_for_a_large_trial() -> None:
    trials = [(4, 10.0), (8, 10.0), (4, 10.0)]
    in_order = simulate(conditions(is_elastic=False), [trials], slots=3, seed=0)
    assert in_order.makespan_s == 30
    assert simulate(conditions(), [trials], slots=3, seed=0).makespan_s == 20


def test_a_slow_searcher_is_waited_for_unless_it_is_asked_ahead() -> None:
    trials = [(8, 10.0)] * 31
    slow = {"suggestion_s": constant(4.0)}
    asked_late = simulate(conditions(**slow, is_ahead=False), [trials], slots=1, seed=0)
    assert asked_late.makespan_s == 310 + 4 * (31 - 11)
    assert simulate(conditions(**slow), [trials], slots=1, seed=0).makespan_s == 310


def test_several_studies_have_a_searcher_each_as_far_as_the_head_has_cpus() -> None:
    slow = conditions(suggestion_s=constant(10.0), is_ahead=False)
    studies = [[(1, 1.0)] * 12] * 8
    together = simulate(slow, studies, slots=1, seed=0)
    assert together.makespan_s == 12 + 10
    alone = simulate(
        conditions(suggestion_s=constant(10.0), is_ahead=False, head_cpus=1), studies, 1, 0
    )
    assert alone.makespan_s == 12 + 8 * 10


def test_what_a_lost_node_ran_is_run_again() -> None:
    trials = [(8, 100.0)] * 50
    found = simulate(conditions(preemptions_per_h=6.0), [trials], slots=2, seed=1)
    assert found.num_retries > 0
    assert found.ideal_s == 5000
    assert found.lost_share > 0
    assert found.makespan_s > 5000
    assert found == simulate(conditions(preemptions_per_h=6.0), [trials], slots=2, seed=1)


def test_suggestion_seconds_between_and_beyond_what_was_measured() -> None:
    seconds = interpolated({30: 1.0, 300: 10.0, 3000: 1000.0})
    assert seconds(5) == seconds(30) == pytest.approx(1.0)
    assert seconds(300) == pytest.approx(10.0)
    assert seconds(30_000) == pytest.approx(100_000.0)


def test_trials_are_of_mixed_size_and_some_crash() -> None:
    trials = make_trials(400, seed=0)
    assert {gpus for gpus, _ in trials} == {1, 2, 4, 8}
    assert trials == make_trials(400, seed=0)


ELASTIC: dict[str, Any] = {"num_gpus": 16, "idle_timeout_s": 50.0}


class TestNodesThatComeAndGo:
    def test_a_node_that_nothing_claims_goes_and_comes_back(self) -> None:
        trials = [(1, 200.0), (8, 10.0), (1, 150.0), (8, 10.0)]
        short = simulate(conditions(**ELASTIC), [trials], slots=2, seed=0)
        patient = conditions(**ELASTIC | {"idle_timeout_s": 500.0})
        assert short.num_node_starts == 3
        assert simulate(patient, [trials], slots=2, seed=0).num_node_starts == 2

    def test_nodes_are_started_for_what_waits_and_no_more(self) -> None:
        together = simulate(conditions(**ELASTIC), [[(4, 10.0)] * 2], slots=2, seed=0)
        assert together.num_node_starts == 1
        apart = simulate(conditions(**ELASTIC), [[(8, 10.0)] * 2], slots=2, seed=0)
        assert apart.num_node_starts == 2

    def test_of_a_stock_what_fits_goes_first(self) -> None:
        one_node = ELASTIC | {"num_gpus": 8}
        trials = [(6, 90.0), (2, 10.0), (8, 10.0), (2, 10.0), (2, 10.0)]
        in_order = simulate(conditions(**one_node), [trials], slots=2, seed=0)
        warm = simulate(conditions(**one_node, stock=len(trials)), [trials], slots=2, seed=0)
        assert in_order.makespan_s - warm.makespan_s == pytest.approx(10)
