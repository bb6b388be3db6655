"""Where configurations crash: the learned feasibility over the two parameters that tell most."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoot_ray.core.space import Config, FloatArray
from scoot_ray.report.dependence import dependence, levels_of, make_background, shares
from searchers.observations import Observations
from searchers.smooth_feasibility import SmoothFeasibility


@dataclass(frozen=True)
class FeasibleRegion:
    """The probability of feasibility over two parameters, the others averaged out.

    Attributes:
        names: The two parameters; `rows` are of the first, `columns` of the second.
        rows: Values of the first parameter.
        columns: Values of the second parameter.
        probability: In [0, 1], shape [rows, columns].
        trials: For each trial that was learned from: its configuration, and whether it completed.
    """

    names: tuple[str, str]
    rows: tuple[Any, ...]
    columns: tuple[Any, ...]
    probability: FloatArray
    trials: tuple[tuple[Config, bool], ...]


def feasible_region(data: Observations) -> FeasibleRegion | None:
    """Fit the feasibility that the search uses; None where nothing crashed or nothing ran."""
    if data.space.dim < 2 or data.completed.all() or not data.completed.any():
        return None
    fitted = SmoothFeasibility.fit(data.points, data.completed, seed=0)
    background = make_background(data.space)
    levels = [levels_of(parameter) for parameter in data.space.parameters]
    telling = np.argsort(-shares(fitted.probability, background, levels), kind="stable")
    first, second = int(telling[0]), int(telling[1])
    probability = []
    for level in levels[first]:
        held = background.copy()
        held[:, first] = level
        probability.append(dependence(fitted.probability, held, second, levels[second]))
    parameters = data.space.parameters
    return FeasibleRegion(
        names=(parameters[first].name, parameters[second].name),
        rows=tuple(parameters[first].decode(float(level)) for level in levels[first]),
        columns=tuple(parameters[second].decode(float(level)) for level in levels[second]),
        probability=np.array(probability),
        trials=tuple(zip(data.configs, map(bool, data.completed), strict=True)),
    )
