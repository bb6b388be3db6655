"""The front, the reference point, and the configuration that is recommended."""

from typing import Any

import numpy as np
import pytest

from scoot_ray.core.assignment import Role
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import (
    box_volumes,
    is_nondominated,
    measured,
    pareto_front,
    recommend,
    reference_point,
)
from scoot_ray.core.trial import TrialRecord

OBJECTIVES = (Objective("ttft_mean_s", "min"), Objective("tpot_mean_s", "min"))
THROUGHPUT = (Objective("throughput_rps", "max"),)


def trial(number: int, ttft: float, tpot: float, **changes: Any) -> TrialRecord:
    values: dict[str, Any] = {
        "number": number,
        "config": {"x": number},
        "state": TrialState.COMPLETE,
        "metrics": {"ttft_mean_s": ttft, "tpot_mean_s": tpot, "throughput_rps": 1 / tpot},
        "role": Role.DEFAULT if number == 0 else Role.SEARCH,
    }
    return TrialRecord(**(values | changes))


def numbers(records: tuple[TrialRecord, ...]) -> list[int]:
    return [record.number for record in records]


def test_dominated_points_are_marked() -> None:
    points = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 3.0], [2.0, 2.0]])
    assert is_nondominated(points).tolist() == [True, True, True, False, True]


def test_the_front_is_ordered_by_the_first_objective() -> None:
    history = [trial(0, 5, 5), trial(1, 3, 1), trial(2, 1, 3), trial(3, 4, 4)]
    assert numbers(pareto_front(history, OBJECTIVES)) == [2, 1]
    assert pareto_front([], OBJECTIVES) == ()


def test_only_complete_default_and_search_trials_are_measured() -> None:
    history = [
        trial(0, 5, 5),
        trial(1, 1, 1, state=TrialState.INFEASIBLE),
        trial(2, 1, 1, state=TrialState.FAILED),
        trial(3, 1, 1, role=Role.CONFIRM),
        trial(4, 1, 1, is_bound=True),
        trial(5, 1, 1, metrics={"ttft_mean_s": 1.0}),
        trial(6, 2, 2),
    ]
    assert numbers(measured(history, OBJECTIVES)) == [0, 6]


def test_the_default_is_the_reference_point() -> None:
    history = [trial(1, 9, 1), trial(0, 5, 6)]
    reference = reference_point(history, OBJECTIVES)
    assert reference is not None
    assert reference.tolist() == [5, 6]


def test_without_a_measured_default_the_worst_values_stand_in() -> None:
    history = [trial(0, 1, 1, state=TrialState.INFEASIBLE), trial(1, 9, 1), trial(2, 2, 4)]
    reference = reference_point(history, OBJECTIVES)
    assert reference is not None
    assert reference.tolist() == [9, 4]
    assert reference_point([], OBJECTIVES) is None


def test_box_volumes_are_zero_outside_the_reference() -> None:
    volumes = box_volumes(np.array([[1.0, 1.0], [6.0, 0.0], [4.0, 3.0]]), np.array([5.0, 5.0]))
    assert volumes.tolist() == [16.0, 0.0, 2.0]


def test_the_largest_box_is_recommended() -> None:
    history = [trial(0, 5, 5), trial(1, 1, 4), trial(2, 2, 2), trial(3, 6, 0.1)]
    chosen = recommend(history, OBJECTIVES)
    assert chosen is not None
    assert chosen.record.number == 2
    assert chosen.missed == ()


def test_a_rate_is_maximised() -> None:
    chosen = recommend([trial(0, 1, 0.5), trial(1, 1, 0.2), trial(2, 1, 0.9)], THROUGHPUT)
    assert chosen is not None
    assert chosen.record.number == 1


def test_the_default_stands_when_nothing_beats_it_in_everything() -> None:
    chosen = recommend([trial(1, 1, 6), trial(0, 5, 5), trial(2, 6, 1)], OBJECTIVES)
    assert chosen is not None
    assert chosen.record.number == 0


def test_limits_come_before_volume() -> None:
    history = [trial(0, 5, 5), trial(1, 1, 4), trial(2, 2, 2)]
    chosen = recommend(history, OBJECTIVES, [Limit("ttft_mean_s", 1.5)])
    assert chosen is not None
    assert chosen.record.number == 1


def test_when_no_trial_meets_the_limits_the_closest_says_which_it_misses() -> None:
    limits = [Limit("ttft_mean_s", 1.0), Limit("tpot_mean_s", 10.0)]
    chosen = recommend([trial(0, 5, 5), trial(1, 1.2, 9), trial(2, 2, 2)], OBJECTIVES, limits)
    assert chosen is not None
    assert chosen.record.number == 1
    assert chosen.missed == (limits[0],)


@pytest.mark.parametrize("state", [TrialState.INFEASIBLE, TrialState.FAILED])
def test_nothing_measured_means_nothing_recommended(state: TrialState) -> None:
    assert recommend([trial(0, 1, 1, state=state)], OBJECTIVES) is None
