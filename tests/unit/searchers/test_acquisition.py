import math

import numpy as np
import pytest

from scoot_ray.core.space import FloatArray
from searchers.acquisition import (
    exploration,
    log_ehvi,
    log_ei,
    log_excess,
    mace,
    probability_met,
)
from searchers.gaussian_process import GaussianProcess
from searchers.scale import Linear, Logarithmic
from searchers.scoot_paper import MAXIMUM_LIKELIHOOD, fit_gp
from searchers.surrogate import Surrogate

RNG = np.random.default_rng(0)
X = RNG.random((12, 2))
GRID = RNG.random((6, 2))


@pytest.fixture(scope="module")
def first() -> Surrogate:
    return fit_gp(X, (X[:, 0] - 0.3) ** 2)


@pytest.fixture(scope="module")
def second() -> Surrogate:
    return fit_gp(X, (X[:, 1] - 0.7) ** 2 + 0.1 * X[:, 0])


def draws(surrogate: Surrogate, num: int, seed: int) -> FloatArray:
    mean, sd = surrogate.predict(GRID)
    return mean + sd * np.random.default_rng(seed).normal(size=(num, len(GRID)))


def test_exploration_grows_with_the_trials() -> None:
    assert exploration(10) == pytest.approx(2 * math.log(10**4 * math.pi**2 / 6))
    assert exploration(11) > exploration(10) > exploration(0) > 0


def test_mace_agrees_with_simulation(first: Surrogate) -> None:
    incumbent = 0.05
    upper, log_pi, log_ei_values = mace(first, incumbent, t=12)(GRID).T
    mean, sd = first.predict(GRID)
    assert upper == pytest.approx(exploration(12) * sd - mean)
    best = float(first.scale.apply(np.array(incumbent)))
    gains = np.maximum(best - 1e-4 - draws(first, 200_000, seed=1), 0.0)
    assert np.exp(log_pi) == pytest.approx((gains > 0).mean(axis=0), abs=5e-3)
    assert np.exp(log_ei_values) == pytest.approx(gains.mean(axis=0), abs=5e-3)
    assert log_ei(first, incumbent)(GRID)[:, 0] == pytest.approx(log_ei_values, rel=1e-3, abs=0.1)


def test_log_excess_is_smooth_far_below() -> None:
    z = np.linspace(-40.0, 5.0, 500)
    values = log_excess(z)
    assert (np.diff(values) > 0).all()
    assert values[0] == pytest.approx(-0.5 * 40**2, rel=0.02)


@pytest.mark.parametrize("scale", [Linear, Logarithmic])
def test_ehvi_agrees_with_simulation(scale: type[Linear] | type[Logarithmic]) -> None:
    losses = [np.exp(2 * X[:, 0]), 0.5 + X[:, 1] ** 2]
    surrogates = [on_scale(scale.of(values), values) for values in losses]
    front, reference = np.array([[2.0, 1.2], [4.0, 0.7]]), np.array([6.0, 1.4])
    value = np.exp(log_ehvi(surrogates, front, reference)(GRID)[:, 0])
    samples = [
        s.scale.bounds(draws(s, 40_000, seed=i)) * s.scale.unit for i, s in enumerate(surrogates)
    ]
    gains = improvement(np.stack(samples, axis=2).reshape(-1, 2), front, reference)
    expected = gains.reshape(40_000, -1).mean(axis=0)
    unit = surrogates[0].scale.unit * surrogates[1].scale.unit
    assert value * unit == pytest.approx(expected, abs=0.02)


def on_scale(scale: Linear | Logarithmic, values: FloatArray) -> Surrogate:
    process = GaussianProcess.fit(X, scale.apply(values), MAXIMUM_LIKELIHOOD)
    return Surrogate(process, scale)


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
    acquisition = log_ehvi([first, second], np.empty((0, 2)), np.array([1.0, 1.0]))
    assert np.isfinite(acquisition(GRID)).all()


def test_a_limit_that_is_far_away_changes_nothing(first: Surrogate) -> None:
    easy = fit_gp(X, 0.01 + 0.001 * X[:, 0])
    hard = fit_gp(X, 100.0 + X[:, 0])
    assert probability_met([easy], GRID) == pytest.approx(1.0)
    assert probability_met([hard], GRID) == pytest.approx(0.0)
    assert probability_met([], GRID) == pytest.approx(1.0)
