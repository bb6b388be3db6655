import numpy as np

from searchers.feasibility import Feasibility

POINTS = np.random.default_rng(0).random((40, 3))


def test_without_a_crash_everything_is_feasible() -> None:
    feasibility = Feasibility.fit(POINTS, np.ones(40, dtype=bool), seed=0)
    assert (feasibility.probability(POINTS) == 1.0).all()


def test_learns_where_it_crashes() -> None:
    completed = POINTS[:, 1] < 0.6
    feasibility = Feasibility.fit(POINTS, completed, seed=0)
    safe, risky = feasibility.probability(np.array([[0.5, 0.1, 0.5], [0.5, 0.95, 0.5]]))
    assert safe > 0.9 > 0.1 > risky


def test_only_crashes_leave_no_hope() -> None:
    feasibility = Feasibility.fit(POINTS, np.zeros(40, dtype=bool), seed=0)
    assert (feasibility.probability(POINTS) == 0.0).all()
    assert feasibility.probability(np.empty((0, 3))).shape == (0,)
