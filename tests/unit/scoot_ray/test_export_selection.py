"""Which trial is exported."""

import re

import pytest

from scoot_ray.core.errors import OutputError, UserError
from scoot_ray.core.objective import Objective
from scoot_ray.core.result import Result
from scoot_ray.export.condition import Condition
from scoot_ray.export.selection import Selection
from tests.unit.scoot_ray.export_choices import result
from tests.unit.scoot_ray.results import OBJECTIVES, crashed

TPOT = Objective("tpot_mean_s", "min")


def where(*texts: str) -> tuple[Condition, ...]:
    return tuple(Condition.parse(text) for text in texts)


@pytest.mark.parametrize(
    ("selection", "number"),
    [
        (Selection(), 1),
        (Selection(number=2), 2),
        (Selection(number=0), 0),
        (Selection(target=TPOT), 2),
        (Selection(conditions=where("ttft_mean_s < 0.5"), target=TPOT), 1),
        (Selection(conditions=where("ttft_mean_s<0.95", "throughput_rps>=7"), target=TPOT), 2),
        (Selection(target=Objective("throughput_rps", "max")), 3),
    ],
)
def test_the_wanted_trial_is_selected(selection: Selection, number: int) -> None:
    assert selection.select(result())[0].number == number


def test_the_reason_is_told() -> None:
    selection = Selection(conditions=where("ttft_mean_s < 0.5"), target=TPOT)
    reason = selection.select(result())[1]
    assert reason == "lowest tpot_mean_s with ttft_mean_s < 0.5; the study recommends trial 1"


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(number=4), "trial 4 is a confirm trial"),
        (Selection(number=9), "trial 9 does not exist. The front's trials are 1, 2"),
        (
            Selection(conditions=where("ttft_mean_s < 0.1"), target=TPOT),
            "No completed trial has ttft_mean_s < 0.1. The closest is trial 1: ttft_mean_s 200 ms",
        ),
        (Selection(conditions=where("ttft_mean_s < 1")), "add --minimize METRIC"),
        (Selection(target=Objective("itl_p99_s", "min")), "No completed trial measured itl_p99_s"),
        (Selection(number=1, target=TPOT), "not both"),
    ],
)
def test_what_cannot_be_selected_is_explained(selection: Selection, message: str) -> None:
    with pytest.raises(OutputError, match=re.escape(message)):
        selection.select(result())


def test_a_study_in_which_nothing_completed_has_nothing_to_export() -> None:
    with pytest.raises(OutputError, match="no completed trial"):
        Selection().select(Result.from_trials([crashed(0)], OBJECTIVES))


def test_one_objective_needs_no_target() -> None:
    found = Result.from_trials(result().trials, OBJECTIVES[:1])
    assert Selection(conditions=where("tpot_mean_s < 0.06")).select(found)[0].number == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ttft_mean_s",
        "ttft_mean_s < ",
        "ttft_mean_s = 1",
        "ttft_mean_s < nan",
        "ttft_mean_s < inf",
        "ttft_mean_s < 500ms",
        "0.5 > ttft_mean_s",
        "ttft_mean_s < 1 < 2",
        "__import__('os') < 1",
        "ttft_mean < 1",
    ],
)
def test_a_condition_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        Condition.parse(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ttft_mean_s < 0.5", False),
        ("ttft_mean_s <= 0.5", True),
        ("ttft_mean_s > 0.5", False),
        ("ttft_mean_s >= 5e-1", True),
        ("itl_p99_s < 1", False),
    ],
)
def test_conditions_compare(text: str, holds: bool) -> None:
    condition = Condition.parse(text)
    assert condition.holds({"ttft_mean_s": 0.5}) is holds
    assert (condition.distance({"ttft_mean_s": 0.4}) == 0) is condition.holds({"ttft_mean_s": 0.4})
