"""Scales on which a surrogate models a loss, and what an improvement on them is worth.

    values   losses as measured                              any shape   any unit
    unit     largest magnitude among the values, positive    scalar      the values' own
    targets  (g(values / unit) - shift) / width              any shape   mean 0, deviation 1
    bounds   losses / unit                                   any shape   units

Acquisition functions compare losses in units, so the hypervolume that they promise is the one that
is reported, on whatever scale the surrogate works; dividing keeps huge values from overflowing.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import log_ndtr, ndtr

from scoot_ray.core.space import FloatArray

HUGE = 500.0  # logarithm beyond which a mean is as good as infinite
TINY = 1e-300  # stands for 0 where a logarithm is taken


class Scale(Protocol):
    """Map losses to standard units, monotonically."""

    @property
    def unit(self) -> float:
        """Return the largest magnitude among the values that the scale was made for."""
        ...

    def apply(self, values: FloatArray) -> FloatArray:
        """Return values, any shape, in standard units."""
        ...

    def bounds(self, means: FloatArray) -> FloatArray:
        """Return the losses, in units, that lie at `means` in standard units; any shape."""
        ...

    def shortfall(self, mean: FloatArray, sd: FloatArray, bound: FloatArray) -> FloatArray:
        """Return E[max(0, bound - loss / unit)] of a normal target; shapes broadcast."""
        ...


@dataclass(frozen=True)
class Linear:
    """Standardise the values as they are."""

    unit: float
    shift: float
    width: float

    @classmethod
    def of(cls, values: FloatArray) -> "Linear":
        """Choose the scale for finite values, shape [n]."""
        unit = float(np.abs(values).max()) or 1.0
        return cls(unit, *_moments(values / unit))

    def apply(self, values: FloatArray) -> FloatArray:
        """Return values, any shape, in standard units."""
        return (values / self.unit - self.shift) / self.width

    def bounds(self, means: FloatArray) -> FloatArray:
        """Return the losses, in units, that lie at `means` in standard units."""
        return self.shift + self.width * means

    def shortfall(self, mean: FloatArray, sd: FloatArray, bound: FloatArray) -> FloatArray:
        """Return E[max(0, bound - loss / unit)]: s (phi(z) + z Phi(z)) (Jones et al. 1998)."""
        spread = self.width * sd
        z = (bound - self.bounds(mean)) / spread
        density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
        return np.asarray(np.maximum(spread * (density + z * ndtr(z)), 0.0))


@dataclass(frozen=True)
class Logarithmic:
    """Standardise the logarithms of losses of one sign: times (1), or negated rates (-1).

    TTFT near saturation spans orders of magnitude, and what a parameter does to a rate it does in
    per cent.
    """

    unit: float
    shift: float
    width: float
    sign: int = 1

    @classmethod
    def of(cls, values: FloatArray) -> "Logarithmic":
        """Choose the scale for finite values of one sign, shape [n]."""
        sign = 1 if values[0] > 0 else -1
        unit = float(np.abs(values).max())
        return cls(unit, *_moments(sign * (np.log(np.abs(values)) - math.log(unit))), sign)

    @classmethod
    def suits(cls, values: FloatArray) -> bool:
        """Tell whether all values are positive, or all are negative."""
        return bool(values.min() > 0 or values.max() < 0)

    def apply(self, values: FloatArray) -> FloatArray:
        """Return values, any shape, in standard units; those of the other sign are like 0."""
        # Not the logarithm of the ratio, which may underflow.
        magnitude = np.log(np.maximum(self.sign * values, TINY)) - math.log(self.unit)
        return np.asarray((self.sign * magnitude - self.shift) / self.width)

    def bounds(self, means: FloatArray) -> FloatArray:
        """Return the losses, in units, that lie at `means` in standard units."""
        return np.asarray(self.sign * np.exp(self.sign * (self.shift + self.width * means)))

    def shortfall(self, mean: FloatArray, sd: FloatArray, bound: FloatArray) -> FloatArray:
        """Return E[max(0, bound - loss / unit)]: put or call (Black and Scholes 1973)."""
        middle, spread = self.sign * (self.shift + self.width * mean), self.width * sd
        strike = np.log(np.maximum(self.sign * bound, TINY))
        z = self.sign * (strike - middle) / spread
        log_mean = np.minimum(middle + 0.5 * spread**2, HUGE)
        beyond = np.exp(log_mean + log_ndtr(z - self.sign * spread))
        value = np.maximum(bound * ndtr(z) - self.sign * beyond, 0.0)
        # A bound of the other sign: no positive loss falls short of it, every negative one does.
        other = 0.0 if self.sign > 0 else bound + np.exp(log_mean)
        return np.asarray(np.where(self.sign * bound > 0, value, other))


def _moments(values: FloatArray) -> tuple[float, float]:
    """Return mean and deviation, the latter 1 where the values are constant."""
    width = float(values.std())
    return float(values.mean()), width if width > 1e-12 else 1.0
