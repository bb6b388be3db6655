"""The finalists, measured again: which of them is the answer, and what can be promised of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoot_ray.core.assignment import Role
from scoot_ray.core.metrics import direction_of
from scoot_ray.core.objective import Limit, Objective, losses
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import Contender, Recommendation, measured, rank, recommend
from scoot_ray.core.trial import TrialRecord


@dataclass(frozen=True)
class Repeats:
    """The tests of one configuration under several arrival orders, each on a fresh engine.

    Attributes:
        tests: Those that completed or were INFEASIBLE; the others say nothing.
    """

    tests: tuple[TrialRecord, ...]

    @classmethod
    def of(
        cls, trials: Sequence[TrialRecord], config: Mapping[str, object], *roles: Role
    ) -> "Repeats":
        """Gather the tests of a configuration in some roles."""
        usable = (TrialState.COMPLETE, TrialState.INFEASIBLE)
        return cls(
            tuple(r for r in trials if r.role in roles and r.config == config and r.state in usable)
        )

    @property
    def complete(self) -> tuple[TrialRecord, ...]:
        """The tests that ran to their end."""
        return tuple(r for r in self.tests if r.state is TrialState.COMPLETE)

    @property
    def is_sound(self) -> bool:
        """Tell whether there are tests, and none of them failed."""
        return bool(self.tests) and len(self.complete) == len(self.tests)

    def values(self, metric: str) -> list[float]:
        """Return what the complete tests measured, in order."""
        return [r.metrics[metric] for r in self.complete if metric in r.metrics]

    def mean(self) -> dict[str, float]:
        """Return the mean of every metric that each complete test has."""
        return {metric: float(np.mean(self.values(metric))) for metric in self._metrics}

    def worst(self) -> dict[str, float]:
        """Return the worst value of every metric: under the least lucky arrival order."""
        return {
            metric: (min if direction_of(metric) == "max" else max)(self.values(metric))
            for metric in self._metrics
        }

    @property
    def _metrics(self) -> list[str]:
        names = [set(r.metrics) for r in self.complete]
        return sorted(set.intersection(*names)) if names else []


def confirmed(
    trials: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    limits: Sequence[Limit] = (),
) -> Recommendation | None:
    """Choose the configuration to use by the confirmations, or by the search before there are any.

    A finalist was chosen because its one test was the best of many, so that test is likely to have
    been a lucky one; it is left out. The objectives are judged by the mean over the arrival
    orders, which a few tests estimate more closely than they do the worst (measured by `python -m
    benchmarks.confirmation`); the limits must hold under the worst. The default stands when its
    own repeated tests are not beaten in every objective.
    """
    first = recommend(trials, objectives, limits)
    contenders = [*_finalists(trials, objectives), *_default(trials, objectives)]
    if all(c.record.role is Role.DEFAULT for c in contenders):
        return first
    reference = np.array(_reference(contenders, objectives))
    return rank(contenders, reference, objectives, limits)[0].recommendation(limits)


def _finalists(trials: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[Contender]:
    found: list[Contender] = []
    for record in measured(trials, objectives):
        repeats = Repeats.of(trials, record.config, Role.CONFIRM)
        is_known = any(contender.record.config == record.config for contender in found)
        if repeats.is_sound and record.role is not Role.DEFAULT and not is_known:
            found.append(Contender(record, repeats.mean(), repeats.worst()))
    return found


def _default(trials: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[Contender]:
    """Return the default with all of its tests: it was not chosen for any of them."""
    roles = (Role.DEFAULT, Role.DRIFT, Role.CONFIRM)
    defaults = [r for r in measured(trials, objectives) if r.role is Role.DEFAULT]
    for record in defaults[:1]:
        repeats = Repeats.of(trials, record.config, *roles)
        if repeats.is_sound:
            return [Contender(record, repeats.mean(), repeats.worst())]
    return []


def _reference(
    contenders: Sequence[Contender], objectives: Sequence[Objective]
) -> tuple[float, ...]:
    """Return the default's losses, or the worst ones where the default did not complete."""
    points = [losses(objectives, contender.typical) for contender in contenders]
    defaults = [c.record.role is Role.DEFAULT for c in contenders]
    if any(defaults):
        return points[defaults.index(True)]
    return tuple(max(values) for values in zip(*points, strict=True))
