"""The controls: a method with a part taken out lacks that part, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from benchmarks.comparison.algorithms import CONTROLS, Setting
from benchmarks.comparison.controls import RepeatedDefault, without_feasibility
from benchmarks.comparison.peer_process import PeerEnvironment
from scoot_ray.core.objective import Objective
from scoot_ray.core.trial import TrialRecord
from searchers.designed_search import DesignedSearch
from searchers.observations import Observations
from searchers.rules_of_thumb import rules_of_thumb
from searchers.scoot import scoot_search
from searchers.scoot_paper import paper_search
from tests.unit.searchers.spaces import VLLM, make_history


def crashing_history(num_trials: int) -> list[TrialRecord]:
    """Return trials of which every other one crashed."""
    crashes = cycle((False, True))
    return make_history(VLLM, num_trials, crashes=lambda _: next(crashes))


@pytest.mark.parametrize("make", [scoot_search, paper_search], ids=["scoot", "scoot_paper"])
def test_without_its_forest_a_search_knows_of_no_crash(
    make: Callable[..., DesignedSearch],
) -> None:
    seen: list[Observations] = []

    def propose(data: Observations, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        seen.append(data)
        return []

    whole = replace(make(VLLM, [Objective("ttft_mean_s", "min")], seed=0), propose=propose)
    history = crashing_history(20)
    assert whole.suggest(history, []) == without_feasibility(whole).suggest(history, [])
    informed, ignorant = seen
    assert informed.completed.sum() == 10
    assert ignorant.completed.all()
    # A crash teaches no objective, with the forest or without it.
    np.testing.assert_array_equal(informed.losses, ignorant.losses)
    assert np.isnan(ignorant.losses).sum() == 10


def test_the_repeated_default_is_nothing_else() -> None:
    suggested = RepeatedDefault(VLLM).suggest(crashing_history(4), [], 3)
    assert suggested == [dict(VLLM.default)] * 3


def first(name: str) -> list[dict[str, Any]]:
    """Return what a control suggests first."""
    objectives = [Objective("ttft_mean_s", "min")]
    setting = Setting(VLLM, objectives, 0, 30, PeerEnvironment(), 1)
    with CONTROLS[name].running(setting) as optimizer:
        return optimizer.suggest([], [], 4)


def test_rules_are_given_to_others_and_taken_from_ours() -> None:
    rules = list(rules_of_thumb(VLLM))
    assert first("random_log_with_rules") == [VLLM.default, *rules]
    assert not any(rule in first("scoot_without_rules") for rule in rules)
