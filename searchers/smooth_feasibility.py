"""Hidden constraints where crashes are few: the paper's forest averaged with a Gaussian process.

A forest cuts one parameter at a time; what runs out in an engine is a sum over several of them,
memory, whose boundary a smooth process finds with fewer crashes. The process is fitted to labels
+1 (complete) and -1 (infeasible), and POF is the probability that it is positive (label
regression; Rasmussen and Williams 2006, section 6.5).

symbol     meaning                                shape   range
points     configurations in the unit cube        [n, d]  [0, 1]
completed  the trial completed                    [n]     boolean
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from scoot_ray.core.space import FloatArray
from searchers.feasibility import Feasibility
from searchers.gaussian_process import GaussianProcess, LogNormal, Priors

NUM_TREES = 30  # half of the average: a hundred would take most of the time of a suggestion
DOUBT = 0.05
"""Variance added to the process: labels are not measurements, so nothing is quite certain."""


@dataclass(frozen=True)
class SmoothFeasibility:
    """Predict whether a configuration will run; without a crash so far, every one will."""

    forest: Feasibility
    process: GaussianProcess | None

    @classmethod
    def fit(
        cls, points: FloatArray, completed: NDArray[np.bool_], seed: int
    ) -> "SmoothFeasibility":
        """Fit both models to the trials that completed and those that crashed."""
        forest = Feasibility.fit(points, completed, seed, NUM_TREES)
        if completed.all():
            return cls(forest, None)
        labels = np.where(completed, 1.0, -1.0)
        priors = Priors(
            length=LogNormal(0.5 * math.log(points.shape[1]), 1.0),
            shape=None,
            signal=LogNormal(0.0, 0.5),
            noise=LogNormal(-4.0, 1.0),
        )
        return cls(forest, GaussianProcess.fit(points, labels, priors))

    def probability(self, points: FloatArray) -> FloatArray:
        """Return POF, shape [n], of points, shape [n, d]."""
        steps = self.forest.probability(points)
        if self.process is None:
            return steps
        mean, sd = self.process.predict(points)
        smooth = ndtr(mean / np.sqrt(sd**2 + DOUBT))
        return np.asarray((steps + smooth) / 2.0)
