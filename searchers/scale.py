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
    """Standardise the logarithms of positive values, such as TTFT near saturation."""

    unit: float
    shift: float
    width: float

    @classmethod
    def of(cls, values: FloatArray) -> "Logarithmic":
        """Choose the scale for finite positive values, shape [n]."""
        unit = float(values.max())
        return cls(unit, *_moments(np.log(values) - math.log(unit)))

    def apply(self, values: FloatArray) -> FloatArray:
        """Return values, any shape, in standard units."""
        # Not the logarithm of the ratio, which may underflow.
        return (np.log(values) - math.log(self.unit) - self.shift) / self.width

    def bounds(self, means: FloatArray) -> FloatArray:
        """Return the losses, in units, that lie at `means` in standard units."""
        return np.exp(self.shift + self.width * means)

    def shortfall(self, mean: FloatArray, sd: FloatArray, bound: FloatArray) -> FloatArray:
        """Return E[max(0, bound - loss / unit)] of a log-normal loss (Black and Scholes 1973)."""
        middle, spread = self.shift + self.width * mean, self.width * sd
        z = (np.log(np.maximum(bound, 1e-300)) - middle) / spread
        below = np.exp(middle + 0.5 * spread**2 + log_ndtr(z - spread))
        return np.where(bound > 0, np.maximum(bound * ndtr(z) - below, 0.0), 0.0)


def _moments(values: FloatArray) -> tuple[float, float]:
    """Return mean and deviation, the latter 1 where the values are constant."""
    width = float(values.std())
    return float(values.mean()), width if width > 1e-12 else 1.0
