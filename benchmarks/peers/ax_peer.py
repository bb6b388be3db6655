"""Ax, by its client, method "fast".

A crash is a completed trial of which only an outcome constraint was observed, and violated: Ax
models data that is partly there.
"""

from __future__ import annotations

import logging
import warnings

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

from .problem import Dimension, Point, Problem


def suggest(problem: Problem) -> Point:
    """Ask Ax, to which pending trials are running ones."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    client = Client(random_seed=problem.seed)
    axes = zip(problem.names, problem.dimensions, strict=True)
    client.configure_experiment(parameters=[_parameter(name, axis) for name, axis in axes])
    names = [f"loss{i}" for i in range(problem.num_objectives)]
    constraints = ["crashed <= 0.5"] if None in problem.losses else []
    if len(names) > 1:  # Ax's objective thresholds are the reference point of its hypervolume
        thresholds = zip(names, problem.reference, strict=True)
        constraints += [f"{name} <= {bound!r}" for name, bound in thresholds]
    objective = ", ".join(f"-{name}" for name in names)
    client.configure_optimization(objective, constraints or None)
    client.configure_generation_strategy(
        initialization_budget=1, initialize_with_center=False, min_observed_initialization_trials=1
    )
    for point, losses in zip(problem.points, problem.losses, strict=True):
        trial = client.attach_trial(problem.named(point))
        measured = dict(zip(names, losses, strict=True)) if losses else {}
        client.complete_trial(trial, {**measured, "crashed": float(losses is None)})
    for point in problem.pending:
        client.attach_trial(problem.named(point))
    [values] = client.get_next_trials(max_trials=1).values()
    return problem.unnamed(values)


def _parameter(name: str, dimension: Dimension) -> RangeParameterConfig | ChoiceParameterConfig:
    if dimension.kind == "real":
        return RangeParameterConfig(name, bounds=(0.0, 1.0), parameter_type="float")
    is_ordered = dimension.kind == "ordinal"
    return ChoiceParameterConfig(name, dimension.indices, "int", is_ordered=is_ordered)
