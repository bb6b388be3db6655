"""One parameter of a space as the study file changes or adds it."""

from scoot_ray.core.errors import SpaceError
from scoot_ray.core.sections import ParameterSection, Scalar
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    FloatParameter,
    IntegerParameter,
    Parameter,
)


def changed_parameter(parameter: Parameter, change: ParameterSection) -> Parameter:
    """Give a parameter of the base space another range or other values.

    Raises:
        SpaceError: Naming the key that does not fit the parameter's kind.
    """
    key = f"space.parameters.{parameter.name}"
    if change.values is not None:
        return ChoiceParameter(parameter.name, _values_like(parameter, change.values, key))
    if isinstance(parameter, (BooleanParameter, ChoiceParameter)):
        raise SpaceError(f"{key}: it is {parameter}; write `values:`, not a range.")
    low = parameter.low if change.low is None else change.low
    high = parameter.high if change.high is None else change.high
    if isinstance(parameter, FloatParameter):
        return _float_parameter(parameter.name, low, high, change)
    if parameter.name == "tensor_parallel_size" and high > parameter.high:
        raise SpaceError(f"{key}.high: the service owns {parameter.high} GPUs, got {high}.")
    is_log2 = parameter.log2 if change.log2 is None else change.log2
    return _integer_parameter(parameter.name, low, high, log2=is_log2)


def new_parameter(name: str, section: ParameterSection) -> Parameter:
    """Make a parameter that the base space does not have; whole bounds make an integer.

    Raises:
        SpaceError: Naming the key that is missing or wrong.
    """
    if section.values is not None:
        if set(section.values) == {False, True} and all(
            isinstance(v, bool) for v in section.values
        ):
            return BooleanParameter(name)
        return ChoiceParameter(name, section.values)
    if section.low is None or section.high is None:
        raise SpaceError(f"space.parameters.{name}: write both `low:` and `high:`, or `values:`.")
    if isinstance(section.low, int) and isinstance(section.high, int):
        return _integer_parameter(name, section.low, section.high, log2=bool(section.log2))
    return _float_parameter(name, section.low, section.high, section)


def _values_like(parameter: Parameter, values: list[Scalar], key: str) -> list[Scalar]:
    """Check that values have the kind of the parameter that they replace."""
    if isinstance(parameter, ChoiceParameter):
        expected: tuple[type, ...] = tuple({type(value) for value in parameter.values})
    elif isinstance(parameter, BooleanParameter):
        expected = (bool,)
    else:
        expected = (int,) if isinstance(parameter, IntegerParameter) else (int, float)
    for value in values:
        if type(value) not in expected:
            raise SpaceError(f"{key}.values: expected values as in {parameter}, got {value!r}.")
    return values


def _integer_parameter(name: str, low: float, high: float, *, log2: bool) -> IntegerParameter:
    key = f"space.parameters.{name}"
    if int(low) != low or int(high) != high:
        raise SpaceError(f"{key}: expected whole numbers, got [{low}, {high}].")
    _require_order(key, low, high)
    return IntegerParameter(name, int(low), int(high), log2=log2)


def _float_parameter(
    name: str, low: float, high: float, section: ParameterSection
) -> FloatParameter:
    key = f"space.parameters.{name}"
    if section.log2:
        raise SpaceError(f"{key}.log2: only whole numbers can be powers of two.")
    _require_order(key, low, high)
    return FloatParameter(name, float(low), float(high))


def _require_order(key: str, low: float, high: float) -> None:
    if not low <= high:
        raise SpaceError(f"{key}: expected low <= high, got [{low}, {high}].")
