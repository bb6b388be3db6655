import numpy as np
import pytest

from scoot_ray.core.space import FloatArray
from searchers.surrogate import Scale, Surrogate


def points(num: int, dim: int = 2, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).random((num, dim))


def test_recovers_a_smooth_function() -> None:
    def f(x: FloatArray) -> FloatArray:
        return np.asarray(np.sin(4 * x[:, 0]) + x[:, 1] ** 2)

    surrogate = Surrogate.fit(points(30), f(points(30)))
    mean, _ = surrogate.predict(points(50, seed=1))
    truth = surrogate.scale.apply(f(points(50, seed=1)))
    assert np.corrcoef(mean, truth)[0, 1] > 0.97


def test_is_surer_near_what_was_measured() -> None:
    x = points(20)
    surrogate = Surrogate.fit(x * 0.5, np.sin(9 * x[:, 0]))
    _, near = surrogate.predict(x[:5] * 0.5)
    _, far = surrogate.predict(np.ones((1, 2)))
    assert near.max() < far[0]


def test_finds_the_noise_level() -> None:
    x = points(60)
    noise = np.random.default_rng(1).normal(0.0, 1.0, 60)
    quiet = Surrogate.fit(x, 3 * x[:, 0]).model.likelihood.noise.item()
    loud = Surrogate.fit(x, 3 * x[:, 0] + noise).model.likelihood.noise.item()
    assert quiet < 0.02 < 0.1 < loud


def test_believing_keeps_the_mean_and_shrinks_the_deviation() -> None:
    x = points(15)
    surrogate = Surrogate.fit(x, x.sum(axis=1) ** 2)
    pending = np.array([[0.95, 0.05]])
    believing = surrogate.believing(pending)
    (mean, sd), (new_mean, new_sd) = (s.predict(pending) for s in (surrogate, believing))
    assert new_mean == pytest.approx(mean, abs=1e-3)
    assert new_sd < 0.8 * sd


@pytest.mark.parametrize(
    "values",
    [[3.0], [2.0] * 9, [0.0] * 9, [1e300, -1e300, 5e299], [1e-300, 2e-300, 1e-290]],
    ids=["one", "constant", "zero", "huge", "small"],
)
def test_survives_awkward_values(values: list[float]) -> None:
    x = points(len(values))
    mean, sd = Surrogate.fit(x, np.array(values)).predict(points(4))
    assert np.isfinite(mean).all()
    assert (sd > 0).all()


def test_survives_duplicated_points() -> None:
    x = np.repeat(points(3), 6, axis=0)
    mean, _ = Surrogate.fit(x, np.arange(18.0)).predict(x)
    assert np.isfinite(mean).all()


def test_leaves_out_what_is_not_a_number() -> None:
    x, y = points(12), points(12).sum(axis=1)
    y[3] = np.nan
    expected = Surrogate.fit(np.delete(x, 3, axis=0), np.delete(y, 3)).predict(points(4))[0]
    assert Surrogate.fit(x, y).predict(points(4))[0] == pytest.approx(expected)
    with pytest.raises(ValueError, match="finite"):
        Surrogate.fit(x, np.full(12, np.nan))


def test_heavy_tails_are_modelled_in_logs() -> None:
    assert Scale.of(np.array([0.01, 0.1, 30.0])).is_log
    assert not Scale.of(np.array([1.0, 2.0, 3.0])).is_log
    assert not Scale.of(np.array([-1.0, 2.0, 300.0])).is_log


@pytest.mark.parametrize("values", [[0.01, 0.1, 30.0], [-4.0, 1.0, 2.0]])
def test_standard_units(values: list[float]) -> None:
    targets = Scale.of(np.array(values)).apply(np.array(values))
    assert targets.mean() == pytest.approx(0.0)
    assert targets.std() == pytest.approx(1.0)
    assert (np.diff(targets) > 0).all()
