"""Hidden constraints: the probability of feasibility, learned from crashes.

symbol     meaning                                shape   range
points     configurations in the unit cube        [n, d]  [0, 1]
completed  1 the trial completed, 0 infeasible    [n]     boolean
POF        probability of feasibility             [n]     [0, 1], larger is safer
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from scoot_ray.core.space import FloatArray

NUM_TREES = 100


@dataclass(frozen=True)
class Feasibility:
    """Predict whether a configuration will run; without a crash so far, every one will."""

    forest: RandomForestRegressor | None

    @classmethod
    def fit(
        cls,
        points: FloatArray,
        completed: NDArray[np.bool_],
        seed: int,
        num_trees: int = NUM_TREES,
    ) -> "Feasibility":
        """Fit a random forest by regression on 1 (complete) and 0 (infeasible)."""
        if completed.all():
            return cls(None)
        # One job: a forest this small is fitted faster than worker threads are started.
        forest = RandomForestRegressor(num_trees, random_state=seed, n_jobs=1)
        return cls(forest.fit(points, completed.astype(np.float64)))

    def probability(self, points: FloatArray) -> FloatArray:
        """Return POF, shape [n], of points, shape [n, d]."""
        if self.forest is None or len(points) == 0:
            return np.ones(len(points))
        # Tree by tree: for so few points scikit-learn's own loop takes ten times as long.
        single = np.asarray(points, dtype=np.float32)
        trees = [tree.tree_.predict(single)[:, 0] for tree in self.forest.estimators_]
        return np.asarray(np.mean(trees, axis=0))


EVERYWHERE = Feasibility(None)
"""Every configuration runs."""
