"""Values as people read them."""

import pytest

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.display import (
    describe_config,
    describe_trial,
    format_duration,
    format_gain,
    format_metric,
)
from scoot_ray.core.objective import Objective


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("ttft_mean_s", 0.1234, "123 ms"),
        ("latency_p95_s", 3.456, "3.46 s"),
        ("throughput_rps", 12.34567, "12.35 req/s"),
        ("output_tokens_per_s", 2048.0, "2048 tok/s"),
        ("tpot_mean_s", None, "-"),
    ],
)
def test_metrics_have_units(metric: str, value: float | None, expected: str) -> None:
    assert format_metric(metric, value) == expected


def test_long_durations_are_minutes() -> None:
    assert format_duration(600) == "10 min"


@pytest.mark.parametrize(("direction", "expected"), [("min", "+50.0%"), ("max", "-50.0%")])
def test_a_leading_plus_is_always_an_improvement(direction: str, expected: str) -> None:
    objective = Objective("x", direction)  # type: ignore[arg-type]
    assert format_gain(objective, 1.0, 2.0) == expected


def test_only_what_differs_from_the_default_is_described() -> None:
    default = {"max_num_seqs": 256, "enable_prefix_caching": True}
    assert describe_config({**default, "max_num_seqs": 8}, default) == "max_num_seqs=8"
    assert describe_config(default, default) == "the default configuration"


@pytest.mark.parametrize(
    ("role", "config", "expected"),
    [
        (Role.SEARCH, {"tensor_parallel_size": 2, "x": 512}, "trial 17: tp=2 x=512"),
        (Role.CONFIRM, {"tensor_parallel_size": 2, "x": 1}, "trial 17 (confirm): tp=2"),
        (Role.DEFAULT, {"x": 1}, "trial 17 (default)"),
    ],
)
def test_a_trial_is_named_by_what_matters(
    role: Role, config: dict[str, int], expected: str
) -> None:
    default = {"tensor_parallel_size": 1, "x": 1}
    assert describe_trial(Assignment(17, role, config, 0), default) == expected


def test_what_is_worse_by_more_than_the_default_is_a_multiple() -> None:
    assert format_gain(Objective("ttft_mean_s", "min"), 3.66, 0.259) == "14.1x"
    assert format_gain(Objective("ttft_mean_s", "min"), 0.5, 0.259) == "-93.1%"
