import numpy as np
import pytest

from scoot_ray.core.space import FloatArray
from searchers.feasibility import Feasibility
from searchers.smooth_feasibility import DOUBT_BEYOND, SmoothFeasibility

RNG = np.random.default_rng(0)
POINTS, OTHERS = RNG.random((40, 6)), RNG.random((500, 6))


def runs(points: FloatArray) -> np.ndarray:
    return np.asarray(points[:, :3].sum(axis=1) < 1.8)


def test_without_a_crash_everything_among_what_ran_is_feasible() -> None:
    feasibility = SmoothFeasibility.fit(POINTS, np.ones(40, dtype=bool), seed=0)
    assert (feasibility.probability(POINTS) == 1.0).all()


def test_beyond_what_ran_the_probability_falls_with_the_distance() -> None:
    tried = 0.2 + 0.6 * POINTS
    feasibility = SmoothFeasibility.fit(tried, np.ones(40, dtype=bool), seed=0)
    distances = np.array([0.0, 0.05, 0.1])
    points = np.full((3, 6), 0.5)
    points[:, 0] = tried[:, 0].max() + distances
    expected = np.exp(-DOUBT_BEYOND * distances)
    assert feasibility.probability(points) == pytest.approx(expected)


def test_what_crashed_does_not_widen_the_box() -> None:
    completed = POINTS[:, 0] < 0.5
    feasibility = SmoothFeasibility.fit(POINTS, completed, seed=0)
    inside = np.full((2, 6), 0.5)
    inside[0, 0] = feasibility.ran[:, 0].max()
    inside[1, 0] = POINTS[:, 0].max()
    assert feasibility.probability(inside)[0] > feasibility.probability(inside)[1]
    assert feasibility.ran[:, 0].max() < 0.5


def test_finds_a_sum_that_runs_out_better_than_the_forest_alone() -> None:
    smooth = SmoothFeasibility.fit(POINTS, runs(POINTS), seed=0).probability(OTHERS)
    steps = Feasibility.fit(POINTS, runs(POINTS), seed=0).probability(OTHERS)
    mistakes = [((p - runs(OTHERS)) ** 2).mean() for p in (smooth, steps)]
    assert mistakes[0] < 0.9 * mistakes[1]


def test_only_crashes_leave_hope_where_nothing_was_tried() -> None:
    tried = POINTS * 0.3
    feasibility = SmoothFeasibility.fit(tried, np.zeros(40, dtype=bool), seed=0)
    near, far = feasibility.probability(np.array([tried[0], np.ones(6)]))
    assert 0.0 <= near < far < 0.5
