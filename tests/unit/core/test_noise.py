"""The noise band and the drift of the default."""

from collections.abc import Sequence

import numpy as np
import pytest

from scoot_ray.core.assignment import Role
from scoot_ray.core.noise import Noise
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord

METRIC = "ttft_mean_s"


def trial(number: int, x: int, value: float, role: Role) -> TrialRecord:
    return TrialRecord(number, {"x": x}, TrialState.COMPLETE, {METRIC: value}, role=role)


def study(defaults: Sequence[float], confirmations: Sequence[float] = ()) -> list[TrialRecord]:
    roles = [Role.DEFAULT] + [Role.DRIFT] * len(defaults)
    trials = [trial(i, 0, value, roles[i]) for i, value in enumerate(defaults)]
    first = len(trials)
    return trials + [
        trial(first + i, 1, value, Role.CONFIRM) for i, value in enumerate(confirmations)
    ]


def test_nothing_is_known_before_anything_was_repeated() -> None:
    noise = Noise.of(study([1.0], [2.0]))
    assert noise.band(METRIC) is None
    assert not noise.has_drifted(METRIC)


def test_the_deviation_is_pooled_over_configurations_relative_to_each() -> None:
    noise = Noise.of(study([1.0, 1.1], [10.0, 11.0]))
    assert noise.freedom[METRIC] == 2
    # Each pair deviates by half its difference to both sides: 2 * 0.05^2 / 1.05^2, one degree.
    assert noise.deviations[METRIC] == pytest.approx(np.sqrt(2) * 0.05 / 1.05)


def test_tests_that_the_search_chose_do_not_tell_the_noise() -> None:
    chosen = [trial(9, 1, 0.1, Role.SEARCH)]
    assert Noise.of(study([1.0, 1.1]) + chosen) == Noise.of(study([1.0, 1.1]))


def test_two_equal_configurations_differ_by_more_than_the_band_in_one_case_of_twenty() -> None:
    rng = np.random.default_rng(0)
    outside = 0
    for _ in range(2000):
        values = rng.normal(1.0, 0.05, size=8)
        trials = study(values[:3].tolist(), values[3:].tolist())
        band = Noise.of(trials).band(METRIC, 5, 3)
        assert band is not None
        outside += abs(values[3:].mean() / values[:3].mean() - 1) > band
    assert 0.03 < outside / 2000 < 0.07


def test_a_default_that_becomes_slower_has_drifted() -> None:
    steady = [5.0, 5.05, 4.95, 5.02, 4.98]
    assert Noise.of(study([1.0, 1.1, 1.3], steady)).has_drifted(METRIC)
    noise = Noise.of(study([1.0, 1.02, 1.01], steady))
    assert noise.drifts[METRIC] == pytest.approx(0.01)
    assert not noise.has_drifted(METRIC)
