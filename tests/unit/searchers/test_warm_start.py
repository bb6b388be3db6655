"""What earlier studies found comes right after the default, in place of as many design points."""

from collections.abc import Sequence
from typing import Any

import pytest

from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer
from searchers.warm_start import WarmStart, adapt
from tests.unit.searchers.spaces import VLLM, measure

TTFT = (Objective("ttft_mean_s", "min"),)


def changed(**values: Any) -> dict[str, Any]:
    return {**VLLM.default, **values}


FIRST = (changed(max_num_seqs=100), changed(block_size=32))


@pytest.fixture
def warm() -> WarmStart:
    return WarmStart(make_optimizer("scoot", VLLM, TTFT, seed=3), VLLM, FIRST)


def run(optimizer: WarmStart, num: int) -> list[TrialRecord]:
    history: list[TrialRecord] = []
    for number in range(num):
        [config] = optimizer.suggest(history, [])
        metrics = measure(VLLM, config)
        history.append(TrialRecord(number, config, TrialState.COMPLETE, metrics))
    return history


def configs_of(history: Sequence[TrialRecord]) -> list[Config]:
    return [record.config for record in history]


def test_default_then_the_given_ones_then_the_search(warm: WarmStart) -> None:
    history = run(warm, 8)
    configs = configs_of(history)
    assert configs[:3] == [VLLM.default, *FIRST]
    for number in range(3, 8):
        assert warm.optimizer.suggest(history[:number], []) == [configs[number]]


def test_they_take_the_place_of_as_many_points_of_the_design(warm: WarmStart) -> None:
    cold = configs_of(run(WarmStart(warm.optimizer, VLLM, ()), 6))  # the default and five points
    assert configs_of(run(warm, 6))[3:] == cold[1:4]


def test_all_at_once_and_what_is_pending_is_left_out(warm: WarmStart) -> None:
    assert warm.suggest([], [], 5)[:3] == [VLLM.default, *FIRST]
    assert warm.suggest([], [VLLM.default, FIRST[0]], 1) == [FIRST[1]]


def test_one_that_failed_for_no_fault_of_its_own_comes_again(warm: WarmStart) -> None:
    failed = TrialRecord(1, FIRST[0], TrialState.FAILED, {})
    default = TrialRecord(0, VLLM.default, TrialState.COMPLETE, measure(VLLM, VLLM.default))
    assert warm.suggest([default, failed], []) == [FIRST[0]]
    crashed = TrialRecord(1, FIRST[0], TrialState.INFEASIBLE, {})
    assert warm.suggest([default, crashed], []) == [FIRST[1]]


def test_foreign_configurations_are_brought_into_the_space() -> None:
    foreign = [
        {**FIRST[0], "tensor_parallel_size": 8, "kv_cache_dtype": "fp8"},  # neither is known here
        {"max_num_seqs": 100},  # the same again
        {"max_num_seqs": 5000},  # more than the default's tokens
        {"block_size": 16.5},  # then it is the default
        {"enable_prefix_caching": 1},  # not a boolean
        {"block_size": 32},
    ]
    assert adapt(VLLM, foreign) == FIRST
