from hypothesis import given
from hypothesis import strategies as st

from scoot_ray.core.space import IntegerParameter, SearchSpace
from searchers.log_space import LogInteger, log_space
from tests.unit.searchers.spaces import VLLM


@given(st.integers(1, 100), st.integers(0, 10**6), st.data())
def test_every_value_has_a_cell(low: int, width: int, data: st.DataObject) -> None:
    parameter = LogInteger("x", low, low + width)
    value = data.draw(st.integers(low, low + width))
    assert 0.0 <= parameter.encode(value) <= 1.0
    assert parameter.decode(parameter.encode(value)) == value


@given(st.floats(0.0, 1.0))
def test_every_point_has_a_value(unit: float) -> None:
    parameter = LogInteger("x", 64, 8192)
    assert parameter.contains(parameter.decode(unit))


def test_halves_are_magnitudes() -> None:
    assert LogInteger("x", 64, 8192).decode(0.5) in range(700, 750)


def test_only_wide_positive_ranges_change() -> None:
    space = SearchSpace(
        [
            IntegerParameter("wide", 64, 8192),
            IntegerParameter("narrow", 3, 12),
            IntegerParameter("from_zero", 0, 8192),
            IntegerParameter("powers", 1, 1024, log2=True),
        ],
        {"wide": 64, "narrow": 3, "from_zero": 0, "powers": 1},
    )
    kinds = [type(parameter) for parameter in log_space(space).parameters]
    assert kinds == [LogInteger, IntegerParameter, IntegerParameter, IntegerParameter]


def test_the_rest_of_the_space_stays() -> None:
    changed = log_space(VLLM)
    assert changed.default == VLLM.default
    assert changed.constraints == VLLM.constraints
