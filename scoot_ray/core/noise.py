"""How far tests of the same configuration differ: the noise band, and the drift of the default.

Only tests that were not chosen for their values tell the noise: those of the default configuration
(measured at the start, during and at the end of a study) and the confirmations. The search's own
test of a finalist is its luckiest, so it is left out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scoot_ray.core.assignment import Role
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Noise:
    """The spread of repeated tests, pooled over the configurations that were repeated.

    Attributes:
        deviations: Relative standard deviation of one test, by metric.
        freedom: Degrees of freedom of these estimates, by metric.
        drifts: Relative change of the default from its first test to its last, by metric.
    """

    deviations: Mapping[str, float]
    freedom: Mapping[str, int]
    drifts: Mapping[str, float]

    @classmethod
    def of(cls, trials: Sequence[TrialRecord]) -> "Noise":
        """Estimate the noise from what a study has measured so far."""
        groups = _repeated(trials)
        metrics = sorted({name for group in groups for record in group for name in record.metrics})
        deviations: dict[str, float] = {}
        freedom: dict[str, int] = {}
        for metric in metrics:
            squares, degrees = _pooled([_values(group, metric) for group in groups])
            if degrees:
                deviations[metric], freedom[metric] = math.sqrt(squares / degrees), degrees
        return cls(deviations, freedom, _drifts(trials))

    def band(self, metric: str, num_tests: int = 1, num_others: int = 1) -> float | None:
        """Return the relative difference that noise alone rarely exceeds; None if not known.

        Two means of the same configuration, over `num_tests` and `num_others` tests, differ by
        less in 19 of 20 cases (Student's t with the pooled deviation).
        """
        degrees = self.freedom.get(metric, 0)
        if not degrees:
            return None
        quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees))
        return quantile * self.deviations[metric] * math.sqrt(1 / num_tests + 1 / num_others)

    def has_drifted(self, metric: str) -> bool:
        """Tell whether the default changed by more than the noise band of two single tests."""
        band, drift = self.band(metric), self.drifts.get(metric)
        return band is not None and drift is not None and abs(drift) > band


def _repeated(trials: Sequence[TrialRecord]) -> list[list[TrialRecord]]:
    """Group the tests of each configuration that was measured more than once."""
    groups: list[list[TrialRecord]] = []
    for record in _unchosen(trials):
        for group in groups:
            if group[0].config == record.config:
                group.append(record)
                break
        else:
            groups.append([record])
    return [group for group in groups if len(group) > 1]


def _unchosen(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    complete = [r for r in trials if r.state is TrialState.COMPLETE and not r.is_bound]
    return [r for r in complete if r.role is not Role.SEARCH]


def _values(group: Sequence[TrialRecord], metric: str) -> list[float]:
    return [record.metrics[metric] for record in group if metric in record.metrics]


def _pooled(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Return the sum of squared relative deviations and its degrees of freedom."""
    squares, degrees = 0.0, 0
    for values in groups:
        mean = float(np.mean(values)) if len(values) > 1 else 0.0
        if mean > 0:
            squares += float(np.var(values)) * len(values) / mean**2
            degrees += len(values) - 1
    return squares, degrees


def _drifts(trials: Sequence[TrialRecord]) -> dict[str, float]:
    roles = (Role.DEFAULT, Role.DRIFT)
    tests = sorted((r for r in _unchosen(trials) if r.role in roles), key=lambda r: r.number)
    if len(tests) < 2:
        return {}
    first, last = tests[0].metrics, tests[-1].metrics
    return {name: last[name] / first[name] - 1 for name in first if name in last and first[name]}
