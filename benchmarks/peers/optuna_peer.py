"""Optuna: TPE and GP. A crash is a trial whose constraint is violated, with the worst values seen.

`TPESampler` and `GPSampler` document constraints for what a trial must satisfy; running trials are
told as running (constant liar, q-log-EI). TPE is multivariate, as its documentation advises for
parameters that interact.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.trial import FrozenTrial

from .problem import Dimension, Point, Problem


def suggest_tpe(problem: Problem) -> Point:
    """Ask the tree-structured Parzen estimator."""
    sampler = TPESampler(
        seed=problem.seed,
        n_startup_trials=0,
        multivariate=True,
        constant_liar=True,
        constraints_func=_violations,
    )
    return _suggest(problem, sampler)


def suggest_gp(problem: Problem) -> Point:
    """Ask the Gaussian process."""
    sampler = GPSampler(seed=problem.seed, n_startup_trials=0, constraints_func=_violations)
    return _suggest(problem, sampler)


def _suggest(problem: Problem, sampler: BaseSampler) -> Point:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    directions = ["minimize"] * problem.num_objectives
    study = optuna.create_study(directions=directions, sampler=sampler)
    axes = dict(zip(problem.names, map(_distribution, problem.dimensions), strict=True))
    rows = zip(problem.points, problem.losses, problem.penalised, strict=True)
    for point, losses, values in rows:
        study.add_trial(
            optuna.trial.create_trial(
                params=problem.named(point),
                distributions=axes,
                values=values,
                system_attrs={"constraints": [1.0 if losses is None else -1.0]},
            )
        )
    for point in problem.pending:
        study.enqueue_trial(problem.named(point))
        study.ask(axes)
    return problem.unnamed(study.ask(axes).params)


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.kind == "real":
        return FloatDistribution(0.0, 1.0)
    if dimension.kind == "ordinal":
        return IntDistribution(0, dimension.num_values - 1)
    return CategoricalDistribution(dimension.indices)


def _violations(trial: FrozenTrial) -> Sequence[float]:
    violations: Sequence[float] = trial.system_attrs["constraints"]
    return violations
