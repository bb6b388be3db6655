import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchers.threshold import HIGHEST, LOWEST, START, Threshold, fold_threshold


def test_starts_at_one_half() -> None:
    assert fold_threshold([]) == Threshold(0.5, 0)


def test_an_infeasible_trial_raises_it_and_resets_the_counter() -> None:
    assert fold_threshold([True, True, False]) == Threshold(0.55, 0)


def test_five_completed_trials_lower_it() -> None:
    assert fold_threshold([True] * 4) == Threshold(0.5, 4)
    assert fold_threshold([True] * 5) == Threshold(0.45, 0)


def test_an_infeasible_trial_brings_it_back_to_one_half_at_least() -> None:
    assert fold_threshold([True] * 25 + [False]).delta == START


def test_a_batch_counts_all_its_trials() -> None:
    threshold = Threshold(0.5, 3).after(4, any_infeasible=False)
    assert threshold == Threshold(0.45, 2)


def test_two_crashes_of_one_batch_raise_it_once() -> None:
    together = fold_threshold([False, False, True], batch_size=3)
    apart = fold_threshold([False, False, True], batch_size=1)
    assert [together.num_completed, apart.num_completed] == [0, 1]
    assert [together.delta, apart.delta] == pytest.approx([0.55, 0.6])


@given(st.lists(st.booleans(), max_size=80))
def test_stays_in_its_range(completed: list[bool]) -> None:
    threshold = fold_threshold(completed)
    assert LOWEST <= threshold.delta <= HIGHEST
    assert 0 <= threshold.num_completed < 5


@given(st.lists(st.booleans(), max_size=40), st.lists(st.booleans(), max_size=40))
def test_resuming_is_going_on(before: list[bool], after: list[bool]) -> None:
    threshold = fold_threshold(before)
    for is_complete in after:
        threshold = threshold.after(1, any_infeasible=not is_complete)
    assert threshold == fold_threshold(before + after)
