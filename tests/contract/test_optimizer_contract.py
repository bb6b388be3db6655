"""What every optimiser promises, whatever its method."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.errors import SpaceError, StudyError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config, FloatParameter, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers import OPTIMIZERS, Optimizer, make_optimizer
from tests.contract.optimizers import NAMES, build
from tests.unit.searchers.spaces import (
    FOUR_CONFIGS,
    ONE_FLOAT,
    SPACES,
    TINY_REGION,
    VLLM,
    make_history,
)

TTFT = Objective("ttft_mean_s", "min")
TPOT = Objective("tpot_mean_s", "min")
THROUGHPUT = Objective("throughput_rps", "max")
OBJECTIVES = {1: [TTFT], 2: [TTFT, TPOT], 3: [TTFT, TPOT, THROUGHPUT]}

Make = Callable[..., Optimizer]


@pytest.fixture(params=NAMES)
def make(request: pytest.FixtureRequest) -> Make:
    """Build the optimiser under test on any space."""

    def make_it(
        space: SearchSpace, objectives: Sequence[Objective] = (TTFT,), seed: int = 0, **options: Any
    ) -> Optimizer:
        return build(request.param, space, objectives, seed=seed, **options)

    return make_it


def assert_valid(space: SearchSpace, configs: Sequence[Config], num: int) -> None:
    assert len(configs) == num
    for config in configs:
        space.validate(config)
        assert tuple(config) == space.names
        assert all(type(value) in (bool, int, float, str) for value in config.values())
        assert json.loads(json.dumps(config)) == config


def with_metrics(history: Sequence[TrialRecord], **metrics: float) -> list[TrialRecord]:
    return [TrialRecord(r.number, r.config, r.state, {**r.metrics, **metrics}) for r in history]


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
class TestEverySpace:
    def test_first_suggestion_is_the_default(self, make: Make, space: SearchSpace) -> None:
        assert make(space).suggest([], []) == [space.default]

    def test_default_is_not_suggested_again(self, make: Make, space: SearchSpace) -> None:
        for history, pending in ((make_history(space, 1), []), ([], [space.default])):
            assert make(space).suggest(history, pending) != [space.default]

    def test_empty_history_in_batches(self, make: Make, space: SearchSpace) -> None:
        configs = make(space).suggest([], [], num=4)
        assert_valid(space, configs, 4)
        assert configs[0] == space.default
        assert len({json.dumps(config) for config in configs}) == 4

    @pytest.mark.parametrize(("m", "num", "num_pending"), [(1, 3, 2), (2, 1, 0), (3, 2, 1)])
    def test_after_the_initial_design(
        self, make: Make, space: SearchSpace, m: int, num: int, num_pending: int
    ) -> None:
        drawn = make_history(space, 4 if space is FOUR_CONFIGS else space.dim + 4)
        history, pending = drawn[num_pending:], [r.config for r in drawn[:num_pending]]
        assert_valid(space, make(space, OBJECTIVES[m]).suggest(history, pending, num), num)

    def test_only_infeasible(self, make: Make, space: SearchSpace) -> None:
        history = make_history(space, 4, crashes=lambda _: True)
        assert_valid(space, make(space).suggest(history, [], 2), 2)
        assert_valid(space, make(space, OBJECTIVES[2]).suggest(history * 4, [], 2), 2)


def global_generators() -> tuple[str, str, str]:
    """Read the state of the three global generators as text, which compares by value."""
    numpy_state = np.random.get_state()  # noqa: NPY002
    return repr(numpy_state), str(torch.get_rng_state().tolist()), repr(random.getstate())


class TestDeterminism:
    @pytest.mark.parametrize("m", [1, 2])
    def test_same_input_same_output(self, make: Make, m: int) -> None:
        history, pending = make_history(VLLM, 14), [VLLM.default]
        first = make(VLLM, OBJECTIVES[m], seed=3)
        again = make(VLLM, OBJECTIVES[m], seed=3)
        expected = first.suggest(history, pending, 2)
        assert first.suggest(history, pending, 2) == expected
        assert again.suggest(list(history), list(pending), 2) == expected

    def test_seed_matters(self, make: Make) -> None:
        # Of a space that no rule of thumb knows; later on, searches may well agree.
        history = make_history(ONE_FLOAT, 1)
        first = make(ONE_FLOAT, seed=1).suggest(history, [])
        assert first != make(ONE_FLOAT, seed=2).suggest(history, [])

    @pytest.mark.parametrize("num_observed", [0, 14])
    def test_global_generators_are_left_alone(self, make: Make, num_observed: int) -> None:
        history = make_history(VLLM, num_observed) if num_observed else []
        history = history[:-1] + make_history(VLLM, 1, crashes=lambda _: True)
        before = global_generators()
        make(VLLM, OBJECTIVES[2]).suggest(history, [VLLM.default], 2)
        assert global_generators() == before

    @settings(
        max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(st.sampled_from([TrialState.FAILED, TrialState.CANCELLED]), max_size=5))
    def test_infrastructure_failures_change_nothing(
        self, make: Make, states: list[TrialState]
    ) -> None:
        failure = Failure(Phase.START, "node_lost", "The node went away.")
        for num_observed in (0, 12):
            usable = make_history(VLLM, 12)[:num_observed]
            lost = [
                TrialRecord(100 + i, VLLM.default, state, {}, failure=failure)
                for i, state in enumerate(states)
            ]
            optimizer = make(VLLM, OBJECTIVES[2])
            assert optimizer.suggest(lost + usable, []) == optimizer.suggest(usable, [])

    def test_direction_is_symmetric(self, make: Make) -> None:
        history = make_history(VLLM, 14)
        negated = [
            TrialRecord(r.number, r.config, r.state, {"negated": -r.metrics["throughput_rps"]})
            for r in history
        ]
        expected = make(VLLM, [THROUGHPUT]).suggest(history, [])
        assert make(VLLM, [Objective("negated", "min")]).suggest(negated, []) == expected


class TestHistories:
    @pytest.mark.parametrize("m", [1, 2])
    @pytest.mark.parametrize("value", [0.0, 1.0, 1e300, -1e-300])
    def test_constant_metrics(self, make: Make, m: int, value: float) -> None:
        history = with_metrics(make_history(VLLM, 12), ttft_mean_s=value, tpot_mean_s=value)
        assert_valid(VLLM, make(VLLM, OBJECTIVES[m]).suggest(history, []), 1)

    @pytest.mark.parametrize("m", [1, 2])
    def test_metrics_that_are_not_numbers_teach_nothing(self, make: Make, m: int) -> None:
        broken = [float("nan"), float("inf"), float("-inf")]
        history = make_history(VLLM, 12)
        for i, value in enumerate(broken):
            history[i + 1] = with_metrics([history[i + 1]], ttft_mean_s=value)[0]
        missing = TrialRecord(99, history[5].config, TrialState.COMPLETE, {"other": 1.0})
        optimizer = make(VLLM, OBJECTIVES[m])
        assert_valid(VLLM, optimizer.suggest([*history, missing], []), 1)
        assert_valid(VLLM, optimizer.suggest(with_metrics(history, ttft_mean_s=np.nan), []), 1)

    def test_any_order_of_completion(self, make: Make) -> None:
        history = make_history(VLLM, 12, crashes=lambda c: c["max_num_seqs"] > 5000)
        assert_valid(VLLM, make(VLLM, OBJECTIVES[2]).suggest(history[::-1], [], 2), 2)

    def test_duplicated_and_wild_measurements(self, make: Make) -> None:
        history = make_history(VLLM, 10) * 2
        history += with_metrics(history[:1], ttft_mean_s=1e12, tpot_mean_s=1e-12)
        assert_valid(VLLM, make(VLLM, OBJECTIVES[2]).suggest(history, []), 1)

    @pytest.mark.parametrize("m", [1, 2])
    @pytest.mark.parametrize("value", [0.0, 1e-9, 5.0, 1e12])
    def test_bounds_of_tests_that_were_ended_early(self, make: Make, m: int, value: float) -> None:
        history = make_history(VLLM, 14)
        metrics = {"ttft_mean_s": value, "throughput_rps": value}
        bounds = [
            TrialRecord(r.number, r.config, r.state, metrics, is_bound=True) for r in history[9:]
        ]
        limits = [Limit("ttft_mean_s", 1.5), Limit("throughput_rps", 9.0)]
        for optimizer in (make(VLLM, OBJECTIVES[m]), make(VLLM, OBJECTIVES[m], limits=limits)):
            for seen in ([*history[:9], *bounds], bounds):
                [suggested] = optimizer.suggest(seen, [])
                assert_valid(VLLM, [suggested], 1)
                assert suggested not in [record.config for record in seen]

    def test_configurations_of_another_space_are_passed_over(self, make: Make) -> None:
        history = make_history(VLLM, 12)
        foreign = TrialRecord(50, {"x": 1.0}, TrialState.COMPLETE, {"ttft_mean_s": 1.0})
        outside = TrialRecord(
            51, {**VLLM.default, "block_size": 64}, TrialState.COMPLETE, {"ttft_mean_s": 1.0}
        )
        optimizer = make(VLLM)
        expected = optimizer.suggest(history, [])
        assert optimizer.suggest([*history, foreign, outside], []) == expected

    def test_the_default_crashed(self, make: Make) -> None:
        history = make_history(VLLM, 12, crashes=lambda c: c == VLLM.default)
        assert_valid(VLLM, make(VLLM, OBJECTIVES[2]).suggest(history, []), 1)

    def test_many_pending(self, make: Make) -> None:
        drawn = make_history(VLLM, 30)
        pending = [record.config for record in drawn[12:]]
        for m in (1, 2):
            suggested = make(VLLM, OBJECTIVES[m]).suggest(drawn[:12], pending, 4)
            assert_valid(VLLM, suggested, 4)
            assert not any(config in pending for config in suggested)

    @pytest.mark.parametrize("bound", [1e-9, 1.5, 1e9])
    @pytest.mark.parametrize("m", [1, 2])
    def test_limits(self, make: Make, m: int, bound: float) -> None:
        limits = [Limit("ttft_mean_s", bound), Limit("throughput_rps", 9.0), Limit("itl_p99_s", 1)]
        optimizer = make(VLLM, OBJECTIVES[m], limits=limits)
        assert_valid(VLLM, optimizer.suggest(make_history(VLLM, 14), [], 2), 2)


class TestSpaces:
    def test_a_small_space_repeats_itself_when_exhausted(self, make: Make) -> None:
        history = make_history(FOUR_CONFIGS, 4)
        for m in (1, 2):
            suggested = make(FOUR_CONFIGS, OBJECTIVES[m]).suggest(history, [], 6)
            assert_valid(FOUR_CONFIGS, suggested, 6)

    def test_a_small_space_is_seen_whole_before_it_repeats(self, make: Make) -> None:
        history: list[TrialRecord] = []
        for number in range(4):
            [config] = make(FOUR_CONFIGS).suggest(history, [])
            history.append(TrialRecord(number, config, TrialState.COMPLETE, {"ttft_mean_s": 1.0}))
        assert len({json.dumps(record.config) for record in history}) == 4

    def test_a_space_of_one_configuration(self, make: Make) -> None:
        space = SearchSpace([FloatParameter("x", 2.0, 2.0)], {"x": 2.0})
        assert make(space).suggest([], [], 3) == [{"x": 2.0}] * 3

    def test_whole_study_in_a_tiny_region(self, make: Make) -> None:
        history: list[TrialRecord] = []
        optimizer = make(TINY_REGION, OBJECTIVES[2])
        for number in range(6):
            [config] = optimizer.suggest(history, [])
            assert_valid(TINY_REGION, [config], 1)
            metrics = {"ttft_mean_s": config["x"], "tpot_mean_s": config["y"]}
            history.append(TrialRecord(number, config, TrialState.COMPLETE, metrics))

    def test_a_region_that_cannot_be_found_is_explained(self, make: Make) -> None:
        only = KnownConstraint("only_the_default", lambda c: c["x"] == 0.125)
        space = SearchSpace([FloatParameter("x", 0.0, 0.3)], {"x": 0.125}, [only])
        with pytest.raises(SpaceError, match="only_the_default"):
            make(space).suggest([], [], 2)


class TestArguments:
    def test_num_must_be_positive(self, make: Make) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            make(VLLM).suggest([], [], 0)

    @pytest.mark.parametrize("name", sorted(OPTIMIZERS))
    def test_unknown_option(self, name: str) -> None:
        with pytest.raises(StudyError, match="Did you mean limits"):
            make_optimizer(name, ONE_FLOAT, [TTFT], seed=0, limit=())
