import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from scoot_ray.core.space import FloatArray
from searchers.scale import Linear, Logarithmic, Scale

VALUES = np.array([0.01, 0.1, 0.3, 2.0, 30.0])
RATES = np.array([-9.0, -5.0, -4.0, -3.0, -2.0])  # negated
CASES = [
    (Linear.of(VALUES), VALUES),
    (Logarithmic.of(VALUES), VALUES),
    (Logarithmic.of(RATES), RATES),
]


@pytest.mark.parametrize(("scale", "values"), CASES, ids=["linear", "times", "rates"])
class TestEveryScale:
    def test_standard_units(self, scale: Scale, values: FloatArray) -> None:
        targets = scale.apply(values)
        assert targets.mean() == pytest.approx(0.0)
        assert targets.std() == pytest.approx(1.0)
        assert (np.diff(targets) > 0).all()

    def test_there_and_back(self, scale: Scale, values: FloatArray) -> None:
        assert scale.bounds(scale.apply(values)) * scale.unit == pytest.approx(values)

    @given(mean=st.floats(-2, 2), sd=st.floats(0.05, 1.5), bound=st.floats(-2.0, 2.0))
    def test_shortfall_agrees_with_simulation(
        self, scale: Scale, values: FloatArray, mean: float, sd: float, bound: float
    ) -> None:
        bound = float(np.sign(values[0])) * abs(bound) if abs(bound) < 1e-3 else bound
        # Quantiles of the normal distribution in place of draws.
        quantiles = (np.arange(20_000) + 0.5) / 20_000
        normal = ndtri(quantiles)
        expected = np.maximum(bound - scale.bounds(mean + sd * normal), 0.0).mean()
        found = scale.shortfall(np.array(mean), np.array(sd), np.array(bound))
        assert found == pytest.approx(expected, rel=2e-3, abs=2e-3)

    def test_nothing_falls_far_short(self, scale: Scale, values: FloatArray) -> None:
        far = scale.bounds(scale.apply(values[:1]) - 9.0)[0]
        assert scale.shortfall(np.array(9.0), np.array(0.1), np.array(far)) < 1e-12


def test_a_rate_of_nothing_is_the_worst() -> None:
    scale = Logarithmic.of(-VALUES)
    assert scale.apply(np.array([0.0, 0.1])).tolist() == pytest.approx(
        [scale.apply(np.zeros(1))[0]] * 2
    )
    assert scale.apply(np.array(0.0)) > scale.apply(-VALUES).max()


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
    if Logarithmic.suits(np.array(values)):
        assert np.isfinite(Logarithmic.of(np.array(values)).apply(np.array(values))).all()
