"""What every optimiser promises on any space and any history, by hypothesis."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    FloatParameter,
    IntegerParameter,
    Parameter,
    SearchSpace,
)
from scoot_ray.core.trial import TrialRecord
from searchers import Optimizer
from tests.contract.optimizers import NAMES, build
from tests.unit.searchers.spaces import VLLM, make_history
from tests.unit.searchers.strategies import configs, records, spaces

OBJECTIVES = (
    Objective("ttft_mean_s", "min"),
    Objective("tpot_mean_s", "min"),
    Objective("throughput_rps", "max"),
)
LEARNT = (TrialState.COMPLETE, TrialState.INFEASIBLE)

Make = Callable[[SearchSpace, int], Optimizer]

few = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
fewer = settings(few, max_examples=3)


@pytest.fixture(params=NAMES)
def make(request: pytest.FixtureRequest) -> Make:
    """Build the optimiser under test for a number of objectives."""

    def make_it(space: SearchSpace, num_objectives: int) -> Optimizer:
        return build(request.param, space, OBJECTIVES[:num_objectives], seed=1)

    return make_it


def keys(space: SearchSpace, studied: Sequence[Config]) -> set[tuple[Any, ...]]:
    return {tuple(config[name] for name in space.names) for config in studied}


def num_valid(space: SearchSpace, up_to: int) -> float:
    """Count the valid configurations where they are few; elsewhere there are enough."""
    num = math.prod(parameter.num_values for parameter in space.parameters)
    return num if num <= up_to and not space.constraints else math.inf


@few
@given(st.data())
def test_any_study(make: Make, data: st.DataObject) -> None:
    space = data.draw(spaces())
    history = data.draw(st.lists(records(space), max_size=14))
    pending = data.draw(st.lists(configs(space), max_size=3))
    num_objectives, num = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    optimizer = make(space, num_objectives)
    suggested = optimizer.suggest(history, pending, num)
    assert len(suggested) == num
    for config in suggested:
        space.validate(config)
    learnt = [record for record in history if record.state in LEARNT]
    taken = keys(space, [*[record.config for record in learnt], *pending])
    if num_valid(space, 1000) >= len(taken | keys(space, [space.default])) + num:
        assert len(keys(space, suggested)) == num
        assert not keys(space, suggested) & taken
    assert make(space, num_objectives).suggest(learnt, pending, num) == suggested


@fewer
@given(st.integers(1, 20), st.integers(1, 3))
def test_resuming_from_the_journal(make: Make, num_observed: int, num_objectives: int) -> None:
    history = make_history(VLLM, num_observed, crashes=lambda c: c["max_num_seqs"] > 6000)
    read_back = [TrialRecord.from_json(json.loads(json.dumps(r.to_json()))) for r in history]
    expected = make(VLLM, num_objectives).suggest(history, [])
    assert make(VLLM, num_objectives).suggest(read_back, []) == expected


@pytest.mark.parametrize("num_objectives", [1, 2])
def test_pending_configurations_count(make: Make, num_objectives: int) -> None:
    history = make_history(VLLM, 16)
    optimizer = make(VLLM, num_objectives)
    [first] = optimizer.suggest(history, [])
    assert optimizer.suggest(history, [first]) != [first]


def test_only_categories(make: Make) -> None:
    parameters = [ChoiceParameter(f"choice{i}", ("a", "b", "c")) for i in range(3)]
    space = SearchSpace(parameters, {p.name: "b" for p in parameters})
    history = make_history(space, 20, crashes=lambda c: c["choice0"] == "c")
    seen = keys(space, [record.config for record in history])
    for num_objectives in (1, 2):
        suggested = make(space, num_objectives).suggest(history, [], 27 - len(seen))
        assert len(seen | keys(space, suggested)) == 27


def many(num: int) -> SearchSpace:
    """Return a space of that many parameters of four kinds."""

    def parameter(i: int) -> Parameter:
        kinds: list[Parameter] = [
            IntegerParameter(f"p{i}", 64, 8192),
            FloatParameter(f"p{i}", 0.0, 1.0),
            ChoiceParameter(f"p{i}", (8, 16, 32)),
            BooleanParameter(f"p{i}"),
        ]
        return kinds[i % len(kinds)]

    parameters = [parameter(i) for i in range(num)]
    return SearchSpace(parameters, {p.name: p.decode(0.4) for p in parameters})


@pytest.mark.slow
@pytest.mark.parametrize("num_objectives", [1, 3])
@pytest.mark.parametrize(("dim", "num_observed"), [(40, 60), (10, 500), (40, 500)])
def test_many_parameters_and_observations(
    make: Make, dim: int, num_observed: int, num_objectives: int
) -> None:
    space = many(dim)
    history = make_history(space, num_observed, crashes=lambda c: c["p0"] > 6000)
    for config in make(space, num_objectives).suggest(history, [], 2):
        space.validate(config)
