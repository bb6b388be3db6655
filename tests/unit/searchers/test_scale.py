import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from searchers.scale import Linear, Logarithmic, Scale

VALUES = np.array([0.01, 0.1, 0.3, 2.0, 30.0])
SCALES = [Linear.of(VALUES), Logarithmic.of(VALUES)]


@pytest.mark.parametrize("scale", SCALES, ids=["linear", "logarithmic"])
class TestEveryScale:
    def test_standard_units(self, scale: Scale) -> None:
        targets = scale.apply(VALUES)
        assert targets.mean() == pytest.approx(0.0)
        assert targets.std() == pytest.approx(1.0)
        assert (np.diff(targets) > 0).all()

    def test_there_and_back(self, scale: Scale) -> None:
        assert scale.bounds(scale.apply(VALUES)) * scale.unit == pytest.approx(VALUES)

    @given(mean=st.floats(-2, 2), sd=st.floats(0.05, 1.5), bound=st.floats(0.001, 2.0))
    def test_shortfall_agrees_with_simulation(
        self, scale: Scale, mean: float, sd: float, bound: float
    ) -> None:
        # Quantiles of the normal distribution in place of draws.
        quantiles = (np.arange(20_000) + 0.5) / 20_000
        normal = ndtri(quantiles)
        expected = np.maximum(bound - scale.bounds(mean + sd * normal), 0.0).mean()
        found = scale.shortfall(np.array(mean), np.array(sd), np.array(bound))
        assert found == pytest.approx(expected, abs=2e-3)

    def test_nothing_falls_far_short(self, scale: Scale) -> None:
        assert scale.shortfall(np.array(9.0), np.array(0.1), np.array(-1.0)) == 0.0


@pytest.mark.parametrize(
    "values",
    [
        [3.0],
        [2.0] * 9,
        [0.0] * 9,
        [1e300, -1e300, 5e299],
        [1e-300, 2e-300, 1e-290],
        [1e-300, 1e300],
    ],
    ids=["one", "constant", "zero", "huge", "small", "apart"],
)
def test_survives_awkward_values(values: list[float]) -> None:
    assert np.isfinite(Linear.of(np.array(values)).apply(np.array(values))).all()
    if min(values) > 0:
        assert np.isfinite(Logarithmic.of(np.array(values)).apply(np.array(values))).all()
