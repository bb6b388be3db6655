import numpy as np

from scoot_ray.core.space import FloatArray
from searchers.feasibility import Feasibility
from searchers.smooth_feasibility import SmoothFeasibility

RNG = np.random.default_rng(0)
POINTS, OTHERS = RNG.random((40, 6)), RNG.random((500, 6))


def runs(points: FloatArray) -> np.ndarray:
    return np.asarray(points[:, :3].sum(axis=1) < 1.8)


def test_without_a_crash_everything_is_feasible() -> None:
    feasibility = SmoothFeasibility.fit(POINTS, np.ones(40, dtype=bool), seed=0)
    assert (feasibility.probability(POINTS) == 1.0).all()


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
