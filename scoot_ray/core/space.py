"""The search space: parameters, the default configuration, known constraints, and the unit cube.

Each parameter is one dimension of the unit cube [0, 1]^d. A discrete parameter divides its axis
into equal cells, one per value; `encode` gives the cell's centre and `decode` accepts any point of
the cell, so `decode(encode(config)) == config` and uniform points decode to uniform values.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.errors import SpaceError, did_you_mean

Value = bool | int | float | str
Config = Mapping[str, Any]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class IntegerParameter:
    """Range over the integers in [low, high], or only their powers of two when `log2` is set."""

    name: str
    low: int
    high: int
    log2: bool = False

    def __post_init__(self) -> None:
        _require_bounds(self.name, self.low, self.high)
        if self.log2 and not self._powers:
            raise SpaceError(
                f"{self.name}: [{self.low}, {self.high}] holds no power of two; "
                "widen the range or leave log2 out."
            )

    @cached_property
    def _powers(self) -> tuple[int, ...]:
        exponents = range(max(self.high, 1).bit_length())
        return tuple(2**e for e in exponents if self.low <= 2**e <= self.high)

    @property
    def num_values(self) -> int:
        """Count the distinct values."""
        return len(self._powers) if self.log2 else self.high - self.low + 1

    def contains(self, value: Any) -> bool:
        """Tell whether `value` is one of the parameter's values."""
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            return False
        return bool(value in self._powers if self.log2 else self.low <= value <= self.high)

    def encode(self, value: Any) -> float:
        """Map a value to the centre of its cell in [0, 1]."""
        # A value between two powers (a foreign history) lies between their cells.
        index = math.log2(value / self._powers[0]) if self.log2 else value - self.low
        return float((index + 0.5) / self.num_values)

    def decode(self, unit: float) -> int:
        """Map a point of [0, 1] to the value whose cell holds it."""
        index = _cell(unit, self.num_values)
        return self._powers[index] if self.log2 else self.low + index

    def __str__(self) -> str:
        kind = "power of two" if self.log2 else "integer"
        return f"{kind} in [{self.low}, {self.high}]"


@dataclass(frozen=True)
class FloatParameter:
    """Range over the real numbers in [low, high]."""

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        _require_bounds(self.name, self.low, self.high)

    @property
    def num_values(self) -> float:
        """Count the distinct values."""
        return 1 if self.low == self.high else math.inf

    def contains(self, value: Any) -> bool:
        """Tell whether `value` is a number in range."""
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            return False
        return bool(self.low <= value <= self.high)

    def encode(self, value: Any) -> float:
        """Map a value linearly to [0, 1]."""
        width = self.high - self.low
        return 0.5 if width == 0 else float((value - self.low) / width)

    def decode(self, unit: float) -> float:
        """Map a point of [0, 1] linearly to a value."""
        value = self.low + float(unit) * (self.high - self.low)
        return float(min(max(value, self.low), self.high))

    def __str__(self) -> str:
        return f"number in [{self.low}, {self.high}]"


@dataclass(frozen=True)
class ChoiceParameter:
    """Range over a listed set of values, in the order given."""

    name: str
    values: tuple[Value, ...]

    def __init__(self, name: str, values: Sequence[Value]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "values", tuple(values))
        _require_name(name)
        if not self.values:
            raise SpaceError(f"{name}: expected at least one value, got none.")
        if len({(type(v), v) for v in self.values}) != len(self.values):
            raise SpaceError(f"{name}: the values {list(self.values)} repeat themselves.")

    @property
    def num_values(self) -> int:
        """Count the distinct values."""
        return len(self.values)

    def contains(self, value: Any) -> bool:
        """Tell whether `value` is listed; `True` is not taken for 1."""
        return any(
            v == value and isinstance(v, bool) == isinstance(value, bool) for v in self.values
        )

    def encode(self, value: Any) -> float:
        """Map a listed value to the centre of its cell in [0, 1]."""
        return (self.values.index(value) + 0.5) / len(self.values)

    def decode(self, unit: float) -> Value:
        """Map a point of [0, 1] to the value whose cell holds it."""
        return self.values[_cell(unit, len(self.values))]

    def __str__(self) -> str:
        return f"one of {list(self.values)}"


@dataclass(frozen=True)
class BooleanParameter:
    """Range over false and true."""

    name: str

    def __post_init__(self) -> None:
        _require_name(self.name)

    @property
    def num_values(self) -> int:
        """Count the distinct values."""
        return 2

    def contains(self, value: Any) -> bool:
        """Tell whether `value` is a boolean."""
        return isinstance(value, (bool, np.bool_))

    def encode(self, value: Any) -> float:
        """Map false to 0.25 and true to 0.75, the centres of the two halves."""
        return 0.75 if value else 0.25

    def decode(self, unit: float) -> bool:
        """Map the lower half of [0, 1] to false and the upper half to true."""
        return bool(unit >= 0.5)

    def __str__(self) -> str:
        return "true or false"


Parameter = IntegerParameter | FloatParameter | ChoiceParameter | BooleanParameter


@dataclass(frozen=True)
class SearchSpace:
    """Hold the parameters to tune, the default configuration and the known constraints.

    Raises:
        SpaceError: If names repeat, or the default is outside the space or breaks a constraint.
    """

    parameters: tuple[Parameter, ...]
    default: Config
    constraints: tuple[KnownConstraint, ...] = ()

    def __init__(
        self,
        parameters: Sequence[Parameter],
        default: Config,
        constraints: Sequence[KnownConstraint] = (),
    ) -> None:
        object.__setattr__(self, "parameters", tuple(parameters))
        object.__setattr__(self, "default", dict(default))
        object.__setattr__(self, "constraints", tuple(constraints))
        if len(set(self.names)) != len(self.names):
            raise SpaceError(f"Parameter names repeat: {', '.join(self.names)}.")
        try:
            self.validate(self.default)
        except SpaceError as error:
            raise SpaceError(
                f"The default configuration is not in the search space: {error} "
                "Set another default, or widen the space."
            ) from None

    @property
    def names(self) -> tuple[str, ...]:
        """List the parameter names in order of dimension."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def dim(self) -> int:
        """Count the dimensions of the unit cube, one per parameter."""
        return len(self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        """Return the parameter called `name`."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise SpaceError(self._unknown(name))

    def encode(self, config: Config) -> FloatArray:
        """Map a configuration to a point of the unit cube, shape [d]."""
        return np.array([p.encode(config[p.name]) for p in self.parameters])

    def decode(self, point: Sequence[float] | FloatArray) -> dict[str, Any]:
        """Map a point of the unit cube, shape [d], to a configuration."""
        if len(point) != self.dim:
            raise SpaceError(f"Expected a point with {self.dim} coordinates, got {len(point)}.")
        return {p.name: p.decode(float(u)) for p, u in zip(self.parameters, point, strict=True)}

    def violated(self, config: Config) -> tuple[KnownConstraint, ...]:
        """List the known constraints that `config` breaks."""
        return tuple(c for c in self.constraints if not c.holds(config))

    def is_valid(self, config: Config) -> bool:
        """Tell whether `config` satisfies every known constraint."""
        return all(constraint.holds(config) for constraint in self.constraints)

    def validate(self, config: Config) -> None:
        """Check names, ranges and known constraints.

        Raises:
            SpaceError: Naming the first thing that is wrong and what would be right.
        """
        for name in config:
            if name not in self.names:
                raise SpaceError(self._unknown(name))
        for parameter in self.parameters:
            if parameter.name not in config:
                raise SpaceError(f"{parameter.name} is missing; expected {parameter}.")
            if not parameter.contains(config[parameter.name]):
                raise SpaceError(
                    f"{parameter.name}={config[parameter.name]!r}: expected {parameter}."
                )
        for constraint in self.violated(config):
            raise SpaceError(f"{constraint.name} does not hold: {constraint.reason}")

    def _unknown(self, name: str) -> str:
        hint = did_you_mean(name, self.names)
        return f"{name!r} is not tuned here; the parameters are {', '.join(self.names)}.{hint}"


def _cell(unit: float, num_cells: int) -> int:
    return min(max(int(unit * num_cells), 0), num_cells - 1)


def _require_name(name: str) -> None:
    if not name:
        raise SpaceError("A parameter needs a name; it has an empty one.")


def _require_bounds(name: str, low: float, high: float) -> None:
    _require_name(name)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise SpaceError(f"{name}: expected finite bounds with low <= high, got [{low}, {high}].")
