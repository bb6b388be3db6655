import math

import numpy as np
import pytest

from scoot_ray.core.space import FloatArray
from searchers.acquisition import exploration, log_ehvi, mace, probability_met
from searchers.surrogate import Surrogate

RNG = np.random.default_rng(0)
X = RNG.random((12, 2))
GRID = RNG.random((6, 2))


@pytest.fixture(scope="module")
def first() -> Surrogate:
    return Surrogate.fit(X, (X[:, 0] - 0.3) ** 2)


@pytest.fixture(scope="module")
def second() -> Surrogate:
    return Surrogate.fit(X, (X[:, 1] - 0.7) ** 2 + 0.1 * X[:, 0])


def draws(surrogate: Surrogate, num: int, seed: int) -> FloatArray:
    mean, sd = surrogate.predict(GRID)
    return mean + sd * np.random.default_rng(seed).normal(size=(num, len(GRID)))


def test_exploration_grows_with_the_trials() -> None:
    assert exploration(10) == pytest.approx(2 * math.log(10**4 * math.pi**2 / 6))
    assert exploration(11) > exploration(10) > exploration(0) > 0


def test_mace_agrees_with_simulation(first: Surrogate) -> None:
    incumbent = -0.5
    upper, log_pi, log_ei = mace(first, [], incumbent, t=12)(GRID).T
    mean, sd = first.predict(GRID)
    assert upper == pytest.approx(math.sqrt(exploration(12)) * sd - mean)
    gains = np.maximum(incumbent - 1e-4 - draws(first, 200_000, seed=1), 0.0)
    assert np.exp(log_pi) == pytest.approx((gains > 0).mean(axis=0), abs=5e-3)
    assert np.exp(log_ei) == pytest.approx(gains.mean(axis=0), abs=5e-3)


def test_ehvi_agrees_with_simulation(first: Surrogate, second: Surrogate) -> None:
    front = np.array([[-0.5, 0.5], [0.4, -0.4]])
    reference = np.array([1.0, 1.2])
    value = np.exp(log_ehvi([first, second], [], front, reference)(GRID)[:, 0])
    samples = np.stack([draws(first, 40_000, seed=1), draws(second, 40_000, seed=2)], axis=2)
    gains = improvement(samples.reshape(-1, 2), front, reference).reshape(40_000, -1)
    assert value == pytest.approx(gains.mean(axis=0), abs=0.02)


def improvement(points: FloatArray, front: FloatArray, reference: FloatArray) -> FloatArray:
    """Area below the reference that each point dominates and the sorted front does not."""
    edges = np.concatenate([[-np.inf], front[:, 0], [reference[0]]])
    ceilings = np.concatenate([[reference[1]], front[:, 1]])
    area = np.zeros(len(points))
    for left, right, ceiling in zip(edges[:-1], edges[1:], ceilings, strict=True):
        width = right - np.maximum(points[:, 0], left)
        area += np.maximum(width, 0.0) * np.maximum(ceiling - points[:, 1], 0.0)
    return area


def test_ehvi_with_an_empty_front(first: Surrogate, second: Surrogate) -> None:
    acquisition = log_ehvi([first, second], [], np.empty((0, 2)), np.array([1.0, 1.0]))
    assert np.isfinite(acquisition(GRID)).all()


def test_limits_lower_what_is_promised(first: Surrogate, second: Surrogate) -> None:
    met = probability_met([second], GRID)
    assert ((met >= 0) & (met <= 1)).all()
    free, bound = (mace(first, limits, 0.0, 12)(GRID) for limits in ([], [second]))
    assert bound == pytest.approx(free + np.log(np.maximum(met, 1e-300))[:, None])


def test_a_limit_that_is_far_away_changes_nothing(first: Surrogate) -> None:
    easy = Surrogate.fit(X, 0.01 + 0.001 * X[:, 0])
    hard = Surrogate.fit(X, 100.0 + X[:, 0])
    assert probability_met([easy], GRID) == pytest.approx(1.0)
    assert probability_met([hard], GRID) == pytest.approx(0.0)
    assert probability_met([], GRID) == pytest.approx(1.0)
