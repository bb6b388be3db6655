"""HEBO: MACE for one objective, GeneralBO with EHVI for several. A crash gets the worst values.

HEBO knows no crashes; rows that are not finite it drops, which would let it crash again and again.
It knows no pending points either, so those are told the mean of what was measured, by objective.
"""

from __future__ import annotations

import random
import warnings

import numpy as np
import pandas as pd
import torch
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.general import GeneralBO
from hebo.optimizers.hebo import HEBO

from .problem import Dimension, Point, Problem


def suggest(problem: Problem) -> Point:
    """Ask HEBO."""
    warnings.simplefilter("ignore")
    # HEBO draws from the global generators.
    random.seed(problem.seed)
    np.random.seed(problem.seed)  # noqa: NPY002
    torch.manual_seed(problem.seed)
    axes = zip(problem.names, problem.dimensions, strict=True)
    space = DesignSpace().parse([_parameter(name, axis) for name, axis in axes])
    losses = np.array(problem.penalised)
    mean = np.broadcast_to(losses.mean(axis=0), (len(problem.pending), losses.shape[1]))
    points = [problem.named(point) for point in problem.points + problem.pending]
    optimizer = _optimizer(space, problem)
    optimizer.observe(pd.DataFrame(points)[problem.names], np.vstack([losses, mean]))
    return problem.unnamed(optimizer.suggest(1).iloc[0])


def _optimizer(space: DesignSpace, problem: Problem) -> HEBO | GeneralBO:
    if problem.num_objectives == 1:
        return HEBO(space, rand_sample=2, scramble_seed=problem.seed)
    reference = np.array(problem.reference)
    return GeneralBO(space, problem.num_objectives, rand_sample=2, ref_point=reference)


def _parameter(name: str, dimension: Dimension) -> dict[str, object]:
    if dimension.kind == "real":
        return {"name": name, "type": "num", "lb": 0.0, "ub": 1.0}
    if dimension.kind == "ordinal":
        return {"name": name, "type": "int", "lb": 0, "ub": dimension.num_values - 1}
    return {"name": name, "type": "cat", "categories": dimension.indices}
