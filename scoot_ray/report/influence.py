"""What mattered: how strongly, and how, each parameter acts on an objective, by the surrogate.

The surrogate is the Gaussian process that the search itself uses, fitted to every trial of the
study. How certain its importances are is told by leaving out a part of the trials at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoot_ray.core.objective import Objective
from scoot_ray.core.space import FloatArray
from scoot_ray.report.dependence import dependence, levels_of, make_background, shares
from searchers.observations import Observations
from searchers.scoot import fit_gp
from searchers.surrogate import Surrogate

LEAST_TRIALS = 8
NUM_PARTS = 5


@dataclass(frozen=True)
class Curve:
    """The partial dependence of an objective on a parameter.

    Attributes:
        values: Of the parameter, as in a configuration.
        mean: The objective's metric there, in its own unit.
        low: One deviation of the surrogate below; at most that, because errors are averaged, too.
        high: One deviation above, likewise.
    """

    values: tuple[Any, ...]
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Importance:
    """How much of an objective's variance a parameter explains by itself.

    Attributes:
        parameter: Its name.
        share: In [0, 1], with all trials.
        low: The least share of the fits that each left out a part of the trials.
        high: The largest of them.
        curve: How the objective depends on it.
    """

    parameter: str
    share: float
    low: float
    high: float
    curve: Curve


@dataclass(frozen=True)
class Influence:
    """What the parameters do to one objective, the most important first."""

    objective: Objective
    num_trials: int
    importances: tuple[Importance, ...]


def influence_of(objective: Objective, data: Observations, column: int) -> Influence | None:
    """Fit the surrogate to one objective, the `column`-th of the data; None for too few trials."""
    losses = data.losses[:, column]
    rows = np.flatnonzero(np.isfinite(losses))
    if len(rows) < LEAST_TRIALS:
        return None
    background = make_background(data.space)
    levels = [levels_of(parameter) for parameter in data.space.parameters]
    surrogate = fit_gp(data.points, losses)
    whole = shares(_mean_of(surrogate), background, levels)
    refitted = []
    for part in range(NUM_PARTS):
        kept = losses.copy()
        kept[rows[part::NUM_PARTS]] = np.nan
        fitted = fit_gp(data.points, kept)
        refitted.append(shares(_mean_of(fitted), background, levels))
    importances = [
        Importance(
            parameter.name,
            float(whole[j]),
            float(min(whole[j], *(share[j] for share in refitted))),
            float(max(whole[j], *(share[j] for share in refitted))),
            _curve(objective, surrogate, background, j, levels[j], parameter.decode),
        )
        for j, parameter in enumerate(data.space.parameters)
    ]
    ordered = sorted(importances, key=lambda importance: -importance.share)
    return Influence(objective, len(rows), tuple(ordered))


def _curve(
    objective: Objective,
    surrogate: Surrogate,
    background: FloatArray,
    column: int,
    levels: FloatArray,
    decode: Callable[[float], Any],
) -> Curve:
    mean = dependence(_mean_of(surrogate), background, column, levels)
    sd = dependence(lambda points: surrogate.predict(points)[1], background, column, levels)
    scale = surrogate.scale
    ends = [
        objective.sign * scale.unit * scale.bounds(mean + step * sd) for step in (-1.0, 0.0, 1.0)
    ]
    low, high = np.minimum(ends[0], ends[2]), np.maximum(ends[0], ends[2])
    return Curve(tuple(decode(float(level)) for level in levels), ends[1], low, high)


def _mean_of(surrogate: Surrogate) -> Callable[[FloatArray], FloatArray]:
    return lambda points: surrogate.predict(points)[0]
