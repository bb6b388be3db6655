"""The controls: a method with a part taken out lacks that part, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.comparison.closed_form import ClosedFormService
from benchmarks.comparison.controls import RepeatedDefault, without_feasibility
from scoot_ray.core.trial import TrialRecord, TrialState
from searchers.designed_search import DesignedSearch
from searchers.observations import Observations
from searchers.random_search import RandomSearch
from searchers.scoot import scoot_search
from searchers.scoot_paper import paper_search

SERVICE = ClosedFormService("online", 0)


def crashing_history(num_trials: int) -> list[TrialRecord]:
    """Return trials of which every other one crashed."""
    configs = RandomSearch(SERVICE.space, SERVICE.objectives, seed=0).suggest([], [], num_trials)
    return [
        TrialRecord(
            number=number,
            config=config,
            state=TrialState.INFEASIBLE if number % 2 else TrialState.COMPLETE,
            metrics={} if number % 2 else {"latency_p95_s": 1.0 + number},
        )
        for number, config in enumerate(configs)
    ]


@pytest.mark.parametrize("make", [scoot_search, paper_search], ids=["scoot", "scoot_paper"])
def test_without_its_forest_a_search_knows_of_no_crash(
    make: Callable[..., DesignedSearch],
) -> None:
    seen: list[Observations] = []

    def propose(data: Observations, num: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        seen.append(data)
        return []

    whole = replace(make(SERVICE.space, SERVICE.objectives, seed=0), propose=propose)
    history = crashing_history(20)
    assert whole.suggest(history, []) == without_feasibility(whole).suggest(history, [])
    informed, ignorant = seen
    assert informed.completed.sum() == 10
    assert ignorant.completed.all()
    # A crash teaches no objective, with the forest or without it.
    np.testing.assert_array_equal(informed.losses, ignorant.losses)
    assert np.isnan(ignorant.losses).sum() == 10


def test_the_repeated_default_is_nothing_else() -> None:
    suggested = RepeatedDefault(SERVICE.space).suggest(crashing_history(4), [], 3)
    assert suggested == [dict(SERVICE.space.default)] * 3
