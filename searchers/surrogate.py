"""Surrogates: predict one metric over the unit cube, with a model on a scale.

symbol  meaning                                shape    unit, sign
points  configurations in the unit cube        [n, d]   [0, 1]
values  what was measured, NaN where nothing   [n]      any unit, smaller is better
mean    posterior mean                         [q]      standard units, smaller is better
sd      posterior deviation of the function    [q]      standard units, positive
"""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from scoot_ray.core.space import FloatArray
from searchers.scale import Scale


class Model(Protocol):
    """Predict targets in standard units."""

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and sd, each of shape [q], at points of shape [q, d]."""
        ...

    def believing(self, points: FloatArray) -> Self:
        """Return the model that takes its own mean at points, shape [p, d], for measured."""
        ...


@dataclass(frozen=True)
class Surrogate:
    """Predict one metric; immutable."""

    model: Model
    scale: Scale

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and sd, each of shape [q], in standard units, at points of shape [q, d]."""
        return self.model.predict(points)

    def believing(self, points: FloatArray) -> Self:
        """Return a surrogate that takes its own mean at points, shape [p, d], for measured."""
        return replace(self, model=self.model.believing(points))


def known(points: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Keep the rows whose value is finite.

    Raises:
        ValueError: If no value is.
    """
    is_known = np.isfinite(values)
    if not is_known.any():
        raise ValueError("A surrogate needs at least one finite value; it got none.")
    return points[is_known], values[is_known]
