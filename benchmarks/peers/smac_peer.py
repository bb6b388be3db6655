"""SMAC3's HyperparameterOptimizationFacade, its choice for mixed spaces; ParEGO for several losses.

A crash has the status CRASHED and, as its cost, the worst seen.

The facade models logarithms, so a loss below zero (a rate to maximise) is told as its reciprocal,
seconds per request.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    Float,
    Integer,
)
from smac import HyperparameterOptimizationFacade as Facade
from smac import Scenario
from smac.multi_objective.parego import ParEGO
from smac.runhistory import StatusType, TrialInfo, TrialValue

from .problem import Dimension, Point, Problem


def suggest(problem: Problem) -> Point:
    """Ask SMAC."""
    space = ConfigurationSpace(seed=problem.seed)
    axes = zip(problem.names, problem.dimensions, strict=True)
    space.add([_parameter(name, axis) for name, axis in axes])
    with tempfile.TemporaryDirectory() as folder:
        facade = _facade(problem, space, Path(folder))
        rows = zip(problem.points, problem.losses, problem.penalised, strict=True)
        for point, losses, penalised in rows:
            costs = [_cost(loss) for loss in penalised]
            cost = costs if len(costs) > 1 else costs[0]
            status = StatusType.CRASHED if losses is None else StatusType.SUCCESS
            config = Configuration(space, values=problem.named(point))
            facade.tell(TrialInfo(config, seed=0), TrialValue(cost, status=status), save=False)
        values = dict(facade.ask().config)
    return problem.unnamed(values)


def _facade(problem: Problem, space: ConfigurationSpace, folder: Path) -> Facade:
    num_objectives = problem.num_objectives
    scenario = Scenario(
        space,
        output_directory=folder,
        deterministic=True,
        objectives="cost" if num_objectives == 1 else [f"cost{i}" for i in range(num_objectives)],
        n_trials=max(problem.budget, len(problem.points)) + 2,
        seed=problem.seed,
    )
    return Facade(
        scenario,
        _never_called,
        initial_design=Facade.get_initial_design(scenario, n_configs=0),
        multi_objective_algorithm=ParEGO(scenario) if num_objectives > 1 else None,
        logging_level=False,
        overwrite=True,
    )


def _never_called(config: Configuration, seed: int = 0) -> float:
    raise NotImplementedError("trials are told, not run")


def _cost(loss: float) -> float:
    return float(-1.0 / loss if loss < 0 else loss)


def _parameter(name: str, dimension: Dimension) -> object:
    if dimension.kind == "real":
        return Float(name, (0.0, 1.0))
    if dimension.kind == "ordinal":
        return Integer(name, (0, dimension.num_values - 1))
    return Categorical(name, dimension.indices)
