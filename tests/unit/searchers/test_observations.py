import math

import numpy as np
import pytest

from scoot_ray.core.assignment import Role
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from searchers.observations import Observations
from tests.unit.searchers.spaces import ONE_FLOAT

OBJECTIVES = [Objective("ttft_mean_s", "min"), Objective("throughput_rps", "max")]
LIMITS = [Limit("ttft_mean_s", 2.0), Limit("throughput_rps", 4.0)]


def trial(x: float, ttft_s: float, rate_rps: float = 5.0, **fields: object) -> TrialRecord:
    metrics = {"ttft_mean_s": ttft_s, "throughput_rps": rate_rps}
    return TrialRecord(0, {"x": x}, TrialState.COMPLETE, metrics, **fields)  # type: ignore[arg-type]


def observe(*history: TrialRecord) -> Observations:
    return Observations.of(ONE_FLOAT, OBJECTIVES, LIMITS, history, [])


def test_losses_are_smaller_is_better() -> None:
    assert observe(trial(0.5, 1.0, 3.0)).losses.tolist() == [[1.0, -3.0]]


def test_ratios_are_met_at_one() -> None:
    data = observe(trial(0.5, 1.0, 4.0), trial(0.1, 3.0, 3.0))
    assert data.ratios == pytest.approx(np.array([[0.5, 1.0], [1.5, 1.25]]))
    assert data.meets_limits.tolist() == [True, False]


def test_infeasible_trials_teach_feasibility_only() -> None:
    crash = TrialRecord(1, {"x": 0.9}, TrialState.INFEASIBLE, {"ttft_mean_s": 0.1})
    data = observe(trial(0.5, 1.0), crash)
    assert data.completed.tolist() == [True, False]
    assert np.isnan(data.losses[1]).all()


def test_of_a_test_that_was_ended_early_the_estimate_is_learnt() -> None:
    estimate = {"ttft_mean_s": 4.0, "throughput_rps": 1.0}
    data = observe(trial(0.5, 3.0, 2.0, is_bound=True, estimate=estimate))
    assert data.losses.tolist() == [[4.0, -1.0]]
    assert data.ratios.tolist() == [[2.0, 1.75]]


def test_a_bound_is_no_value() -> None:
    data = observe(trial(0.5, 3.0, 2.0, is_bound=True, estimate={"ttft_mean_s": 4.0}))
    assert data.losses[0, 0] == 4.0
    assert np.isnan(data.losses[0, 1])


def test_estimates_are_not_measurements() -> None:
    estimate = {"ttft_mean_s": 1.5, "throughput_rps": 5.0}
    ended = trial(0.5, 1.0, 6.0, is_bound=True, estimate=estimate)
    data = observe(ended)
    assert data.completed.tolist() == [True]
    assert not data.is_measured
    assert not data.meets_limits.any()
    assert data.num_measured == 0
    assert observe(trial(0.0, 1.4, 5.5), ended).reference.tolist() == [1.4, -5.5]


def test_reference_is_the_first_measurement_of_the_default() -> None:
    data = observe(trial(0.9, 9.0, 1.0), trial(0.0, 2.0, 5.0), trial(0.0, 3.0, role=Role.DRIFT))
    assert data.reference.tolist() == [2.0, -5.0]


def test_reference_is_the_nadir_where_the_default_is_missing() -> None:
    assert observe(trial(0.9, 9.0, 6.0), trial(0.5, 2.0, 1.0)).reference.tolist() == [9.0, -1.0]
    part = observe(trial(0.0, 2.0, math.nan), trial(0.5, 5.0, 1.0))
    assert part.reference.tolist() == [2.0, -1.0]


def test_reference_is_the_nadir_where_the_default_misses_a_limit() -> None:
    data = observe(trial(0.0, 3.0, 5.0), trial(0.5, 1.0, 6.0), trial(0.9, 4.0, 7.0))
    assert data.reference.tolist() == [4.0, -5.0]


def test_awaiting_adds_to_the_pending() -> None:
    data = observe(trial(0.5, 1.0)).awaiting([{"x": 0.1}])
    assert data.pending.tolist() == [[0.55]]
    assert data.count == 2
    assert data.taken == {(0.5,), (0.1,)}
