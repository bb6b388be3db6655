"""A random forest as surrogate: its trees' mean and deviation (Hutter et al. 2011)."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from scoot_ray.core.space import FloatArray
from searchers.scale import Linear
from searchers.surrogate import Surrogate, known

NUM_TREES = 30
LEAST_SD = 1e-3  # standard units; where all trees agree they are not certain


@dataclass(frozen=True)
class Forest:
    """Predict targets by the trees of a forest; see `surrogate.Model`."""

    forest: RandomForestRegressor

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the trees' mean and deviation, each of shape [q], at points, shape [q, d]."""
        # The trees want what the forest would make of the points: single precision.
        narrow = points.astype(np.float32)
        trees = np.stack([tree.predict(narrow) for tree in self.forest.estimators_])
        return trees.mean(axis=0), np.maximum(trees.std(axis=0), LEAST_SD)

    def believing(self, points: FloatArray) -> "Forest":
        """Return the same forest: it would learn nothing from its own means."""
        return self


def fit_forest(points: FloatArray, values: FloatArray, seed: int) -> Surrogate:
    """Fit a forest to points, shape [n, d], and values, shape [n]; NaN values are left out."""
    points, values = known(points, values)
    scale = Linear.of(values)
    forest = RandomForestRegressor(NUM_TREES, random_state=seed, n_jobs=1)
    return Surrogate(Forest(forest.fit(points, scale.apply(values))), scale)
