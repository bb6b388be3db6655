"""Objectives and limits: directions, gains, SLOs, and metric names."""

import pytest

from scoot_ray.core.errors import StudyError
from scoot_ray.core.metrics import METRICS, direction_of
from scoot_ray.core.objective import PRESETS, Limit, Objective, losses, require_metric


def test_better_follows_the_direction() -> None:
    assert Objective("a", "min").is_better(1, than=2)
    assert Objective("a", "max").is_better(2, than=1)
    assert not Objective("a", "min").is_better(1, than=1)


def test_gain_is_positive_when_better() -> None:
    assert Objective("a", "min").gain(8, default=10) == pytest.approx(0.2)
    assert Objective("a", "max").gain(12, default=10) == pytest.approx(0.2)
    assert Objective("a", "max").gain(12, default=0) == 0.0


def test_losses_are_better_when_smaller() -> None:
    objectives = (Objective("a", "min"), Objective("b", "max"))
    assert losses(objectives, {"a": 1.0, "b": 2.0}) == (1.0, -2.0)
    with pytest.raises(KeyError):
        losses(objectives, {"a": 1.0})


def test_a_direction_is_min_or_max() -> None:
    with pytest.raises(StudyError, match="direction must be min or max, got 'up'"):
        Objective("a", "up")  # type: ignore[arg-type]


def test_limits_bound_times_from_above_and_rates_from_below() -> None:
    time, rate = Limit("ttft_p99_s", 2.0), Limit("throughput_rps", 10.0)
    assert time.met_by({"ttft_p99_s": 2.0})
    assert not time.met_by({"ttft_p99_s": 2.1})
    assert rate.met_by({"throughput_rps": 10.0})
    assert rate.excess({"throughput_rps": 8.0}) == pytest.approx(0.2)
    assert time.excess({"ttft_p99_s": 1.0}) == pytest.approx(-0.5)
    assert (str(time), str(rate)) == ("ttft_p99_s <= 2", "throughput_rps >= 10")


def test_a_metric_that_is_missing_or_not_a_number_meets_no_limit() -> None:
    limit = Limit("ttft_p99_s", 2.0)
    assert limit.excess({}) == float("inf")
    assert not limit.met_by({"ttft_p99_s": float("nan")})


def test_presets_are_measured_and_point_the_right_way() -> None:
    for objectives in PRESETS.values():
        for objective in objectives:
            assert objective.metric in METRICS
            assert objective.direction == direction_of(objective.metric)


def test_an_unknown_metric_names_the_closest() -> None:
    assert require_metric("tpot_p99_s") == "tpot_p99_s"
    with pytest.raises(StudyError, match="Did you mean latency_p95_s"):
        require_metric("latency_p95")
