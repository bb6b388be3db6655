"""Hidden constraints where crashes are few: the paper's forest averaged with a Gaussian process.

A forest cuts one parameter at a time; what runs out in an engine is a sum over several of them,
memory, whose boundary a smooth process finds with fewer crashes. The process is fitted to labels
+1 (complete) and -1 (infeasible), and POF is the probability that it is positive (label
regression; Rasmussen and Williams 2006, section 6.5).

Neither doubts what lies beyond everything that ran, and there a model of the objective promises
most, at the ends of ranges: half of the first suggestions after the design crashed. So POF falls
with the distance from the box of what ran, which grows with every trial.

symbol     meaning                                shape   range
points     configurations in the unit cube        [n, d]  [0, 1]
completed  the trial completed                    [n]     boolean
ran        points that completed                  [c, d]  [0, 1]
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
DOUBT_BEYOND = 0.25
"""By how much log POF falls from one end of a parameter's range to the other, beyond what ran."""


@dataclass(frozen=True)
class SmoothFeasibility:
    """Predict whether a configuration will run; like what ran, and without a crash, it will."""

    forest: Feasibility
    process: GaussianProcess | None
    ran: FloatArray

    @classmethod
    def fit(
        cls, points: FloatArray, completed: NDArray[np.bool_], seed: int
    ) -> "SmoothFeasibility":
        """Fit both models to the trials that completed and those that crashed."""
        forest, ran = Feasibility.fit(points, completed, seed, NUM_TREES), points[completed]
        if completed.all():
            return cls(forest, None, ran)
        labels = np.where(completed, 1.0, -1.0)
        priors = Priors(
            length=LogNormal(0.5 * math.log(points.shape[1]), 1.0),
            shape=None,
            signal=LogNormal(0.0, 0.5),
            noise=LogNormal(-4.0, 1.0),
        )
        return cls(forest, GaussianProcess.fit(points, labels, priors), ran)

    def probability(self, points: FloatArray) -> FloatArray:
        """Return POF, shape [n], of points, shape [n, d]."""
        pof = self.forest.probability(points)
        if self.process is not None:
            mean, sd = self.process.predict(points)
            pof = (pof + ndtr(mean / np.sqrt(sd**2 + DOUBT))) / 2.0
        return np.asarray(pof * np.exp(-DOUBT_BEYOND * self._beyond(points)))

    def _beyond(self, points: FloatArray) -> FloatArray:
        """Return how far points lie outside the box of what ran, over all parameters; shape [n]."""
        if len(self.ran) == 0:
            return np.zeros(len(points))
        low, high = self.ran.min(axis=0), self.ran.max(axis=0)
        return np.asarray(np.maximum(np.maximum(low - points, points - high), 0.0).sum(axis=1))
