"""A search space whose wide integer ranges are laid out by magnitude."""

import math
from typing import Any

from scoot_ray.core.space import IntegerParameter, Parameter, SearchSpace

WIDE = 16
"""How many times its lower bound an integer's upper bound is, from which magnitude counts."""


class LogInteger(IntegerParameter):
    """Range over the integers in [low, high], with cells of equal width in log(value) +- 1/2.

    From 64 to 128 sequences is as far as from 4096 to 8192: engines batch, so what a limit does
    depends on its magnitude.
    """

    @property
    def _edges(self) -> tuple[float, float]:
        return math.log(self.low - 0.5), math.log(self.high + 0.5)

    def encode(self, value: Any) -> float:
        """Map a value to [0, 1] by its logarithm."""
        low, high = self._edges
        return (math.log(value) - low) / (high - low)

    def decode(self, unit: float) -> int:
        """Map a point of [0, 1] to the closest value."""
        low, high = self._edges
        return min(max(round(math.exp(low + unit * (high - low))), self.low), self.high)


def log_space(space: SearchSpace) -> SearchSpace:
    """Return the same space with every wide positive range of integers laid out by magnitude."""
    parameters = [_log(parameter) for parameter in space.parameters]
    return SearchSpace(parameters, space.default, space.constraints)


def _log(parameter: Parameter) -> Parameter:
    if not isinstance(parameter, IntegerParameter) or parameter.log2:
        return parameter
    if parameter.low < 1 or parameter.high < WIDE * parameter.low:
        return parameter
    return LogInteger(parameter.name, parameter.low, parameter.high)
