"""Properties of the search space's encoding."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    FloatParameter,
    IntegerParameter,
    Parameter,
    SearchSpace,
)

UNITS = st.floats(0.0, 1.0)
FINITE = st.floats(-1e6, 1e6)


@st.composite
def integers(draw: st.DrawFn, name: str = "p") -> IntegerParameter:
    low, high = sorted((draw(st.integers(-10_000, 10_000)), draw(st.integers(-10_000, 10_000))))
    return IntegerParameter(name, low, high)


@st.composite
def powers(draw: st.DrawFn, name: str = "p") -> IntegerParameter:
    small, large = sorted((draw(st.integers(0, 20)), draw(st.integers(0, 20))))
    slack = draw(st.integers(0, 2**small - 1))
    return IntegerParameter(name, 2**small, 2**large + slack, log2=True)


@st.composite
def floats(draw: st.DrawFn, name: str = "p") -> FloatParameter:
    low, high = sorted((draw(FINITE), draw(FINITE)))
    return FloatParameter(name, low, high)


@st.composite
def choices(draw: st.DrawFn, name: str = "p") -> ChoiceParameter:
    of_one_kind = st.one_of(
        st.lists(st.integers(-100, 100), min_size=1, max_size=9, unique=True),
        st.lists(st.text("abcxyz", max_size=5), min_size=1, max_size=9, unique=True),
        st.lists(st.booleans(), min_size=1, max_size=2, unique=True),
    )
    return ChoiceParameter(name, draw(of_one_kind))


KINDS: Sequence[Callable[[str], st.SearchStrategy[Parameter]]] = (
    integers,
    powers,
    floats,
    choices,
)
DISCRETE: st.SearchStrategy[Parameter] = st.one_of(
    integers(), powers(), choices(), st.just(BooleanParameter("p"))
)
PARAMETERS: st.SearchStrategy[Parameter] = st.one_of(DISCRETE, floats())


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=5))
    parameters = [draw(kind(f"p{i}")) for i, kind in enumerate(kinds)]
    parameters.append(BooleanParameter("last"))
    return SearchSpace(parameters, {p.name: p.decode(draw(UNITS)) for p in parameters})


@given(PARAMETERS, UNITS)
def test_decode_lands_in_the_parameter(parameter: Parameter, unit: float) -> None:
    assert parameter.contains(parameter.decode(unit))


@given(PARAMETERS, UNITS)
def test_encode_lands_in_the_unit_interval(parameter: Parameter, unit: float) -> None:
    assert 0.0 <= parameter.encode(parameter.decode(unit)) <= 1.0


@given(DISCRETE, UNITS)
def test_discrete_values_come_back(parameter: Parameter, unit: float) -> None:
    value = parameter.decode(unit)
    again = parameter.decode(parameter.encode(value))
    assert again == value
    assert type(again) is type(value)


@given(floats(), UNITS)
def test_floats_come_back_to_rounding(parameter: FloatParameter, unit: float) -> None:
    value = parameter.decode(unit)
    scale = max(abs(parameter.low), abs(parameter.high))
    assert parameter.decode(parameter.encode(value)) == pytest.approx(value, abs=4e-16 * scale)


@given(DISCRETE.filter(lambda p: p.num_values <= 500))
def test_cells_are_equal(parameter: Parameter) -> None:
    per_cell, num_cells = 8, int(parameter.num_values)
    num_points = per_cell * num_cells
    units = [(i + 0.5) / num_points for i in range(num_points)]
    counts = Counter(parameter.decode(unit) for unit in units)
    assert set(counts.values()) == {per_cell}
    assert len(counts) == num_cells


@given(DISCRETE, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_order_is_kept(parameter: Parameter, a: float, b: float) -> None:
    low, high = sorted((a, b))
    at_low, at_high = (parameter.encode(parameter.decode(unit)) for unit in (low, high))
    assert at_low <= at_high


@given(spaces(), st.data())
def test_configurations_come_back(space: SearchSpace, data: st.DataObject) -> None:
    point = data.draw(st.lists(UNITS, min_size=space.dim, max_size=space.dim))
    config = space.decode(point)
    space.validate(config)
    encoded = space.encode(config)
    assert encoded.shape == (space.dim,)
    assert ((encoded >= 0.0) & (encoded <= 1.0)).all()
    assert_close(space, space.decode(encoded), config)


def assert_close(space: SearchSpace, again: dict[str, Any], config: dict[str, Any]) -> None:
    for parameter in space.parameters:
        value = config[parameter.name]
        if isinstance(parameter, FloatParameter):
            scale = max(abs(parameter.low), abs(parameter.high))
            assert again[parameter.name] == pytest.approx(value, abs=4e-16 * scale)
        else:
            assert again[parameter.name] == value
