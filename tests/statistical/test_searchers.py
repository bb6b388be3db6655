"""SCOOT against random search on standard mixed problems: paired seeds, one-sided sign tests.

Both searchers get the same seeds and the same number of observations. With 6 seeds, 6 wins have
probability 1/64 and 5 or more 7/64 when the two are equally good; the totals are asked for too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.stats import wilcoxon

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import is_nondominated
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    FloatParameter,
    IntegerParameter,
    SearchSpace,
)
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Problem:
    """A space, losses as a function of the configuration, and where it crashes."""

    space: SearchSpace
    losses: Callable[[Config], tuple[float, ...]]
    crashes: Callable[[Config], bool] = lambda _: False

    def run(self, name: str, seed: int, num_trials: int) -> list[TrialRecord]:
        num_objectives = len(self.losses(self.space.default))
        objectives = [Objective(f"loss_{i}", "min") for i in range(num_objectives)]
        optimizer = make_optimizer(name, self.space, objectives, seed=seed)
        history: list[TrialRecord] = []
        for number in range(num_trials):
            [config] = optimizer.suggest(history, [])
            history.append(self.measure(number, config))
        return history

    def measure(self, number: int, config: dict[str, Any]) -> TrialRecord:
        if self.crashes(config):
            return TrialRecord(number, config, TrialState.INFEASIBLE, {})
        metrics = {f"loss_{i}": loss for i, loss in enumerate(self.losses(config))}
        return TrialRecord(number, config, TrialState.COMPLETE, metrics)


def branin(config: Config) -> tuple[float]:
    """Branin with a shift by a boolean and a factor by a choice; the least value is 0.40."""
    x, y = config["x"], config["y"]
    value = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    value += 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10
    return (value * {8: 1.0, 16: 1.3, 32: 2.0}[config["block"]] + 5.0 * config["slow"],)


BRANIN = Problem(
    SearchSpace(
        [
            FloatParameter("x", -5.0, 10.0),
            IntegerParameter("y", 0, 15),
            ChoiceParameter("block", (8, 16, 32)),
            BooleanParameter("slow"),
        ],
        {"x": 5.0, "y": 10, "block": 16, "slow": False},
        [KnownConstraint("below_the_diagonal", lambda c: c["x"] + c["y"] <= 20)],
    ),
    branin,
    crashes=lambda c: bool(c["x"] > 5 and c["y"] > 10),
)


def zdt1(config: Config) -> tuple[float, float]:
    """ZDT1 in four dimensions, with a boolean that only costs."""
    tail = config["b"] + config["c"] / 10 + config["d"]
    g = 1 + 9 * tail / 3 + 2.0 * config["wasteful"]
    return config["a"], g * (1 - math.sqrt(config["a"] / g))


ZDT1 = Problem(
    SearchSpace(
        [
            FloatParameter("a", 0.0, 1.0),
            FloatParameter("b", 0.0, 1.0),
            IntegerParameter("c", 0, 10),
            FloatParameter("d", 0.0, 1.0),
            BooleanParameter("wasteful"),
        ],
        {"a": 0.9, "b": 0.6, "c": 6, "d": 0.6, "wasteful": True},
    ),
    zdt1,
)

CRASHY = Problem(
    SearchSpace(
        [
            IntegerParameter("max_num_seqs", 64, 8192),
            FloatParameter("memory", 0.5, 1.0),
            BooleanParameter("eager"),
            IntegerParameter("tensor_parallel_size", 1, 4, log2=True),
        ],
        {"max_num_seqs": 256, "memory": 0.8, "eager": False, "tensor_parallel_size": 2},
    ),
    # The losses fall towards the edge beyond which memory runs out.
    lambda c: (-c["memory"] - c["max_num_seqs"] / 8192 - 0.2 * c["eager"],),
    crashes=lambda c: bool(c["memory"] - 0.5 + c["max_num_seqs"] / 16384 > 0.45),
)


def best_loss(history: list[TrialRecord]) -> float:
    return min(r.metrics["loss_0"] for r in history if r.state is TrialState.COMPLETE)


def hypervolume(history: list[TrialRecord]) -> float:
    """Area that the front of two losses dominates below the default's measurement."""
    reference = np.array(zdt1(ZDT1.space.default))
    points = np.array([[r.metrics["loss_0"], r.metrics["loss_1"]] for r in history])
    front = points[is_nondominated(points) & (points < reference).all(axis=1)]
    area, ceiling = 0.0, reference[1]
    for first, second in np.unique(front, axis=0):
        area += (reference[0] - first) * (ceiling - second)
        ceiling = second
    return float(area)


def compare(
    problem: Problem,
    num_trials: int,
    num_seeds: int,
    score: Callable[[list[TrialRecord]], float],
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Score both searchers on every seed; smaller is better. Prints what it finds."""
    ours, theirs = (
        np.array([score(problem.run(name, seed, num_trials)) for seed in range(num_seeds)])
        for name in ("scoot", "random")
    )
    print(f"\nscoot  {np.round(ours, 3)}\nrandom {np.round(theirs, 3)}")
    return ours, theirs


def assert_smaller(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> None:
    """Fail unless the paired ranks say so; with so many seeds, no rounding turns them around."""
    assert wilcoxon(ours, theirs, alternative="less").pvalue < 0.01


def test_better_than_random_on_one_objective() -> None:
    ours, theirs = compare(BRANIN, 18, 24, best_loss)
    assert_smaller(np.log(ours), np.log(theirs))
    assert np.median(ours) < 0.5 * np.median(theirs)


def test_better_than_random_on_two_objectives() -> None:
    ours, theirs = compare(ZDT1, 14, 8, lambda history: -hypervolume(history))
    assert_smaller(ours, theirs)
    assert np.median(ours) < 1.5 * np.median(theirs)


def test_fewer_crashes_than_random() -> None:
    def count(history: list[TrialRecord]) -> float:
        # The default and the initial design are blind; what counts is what was learned from them.
        learned = history[1 + CRASHY.space.dim :]
        return float(sum(record.state is TrialState.INFEASIBLE for record in learned))

    ours, theirs = compare(CRASHY, 20, 8, count)
    assert_smaller(ours, theirs)
    assert ours.sum() < 0.8 * theirs.sum()
