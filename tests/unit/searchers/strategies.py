"""Hypothesis strategies: search spaces of every kind, and what was measured in them."""

import math
from typing import Any

from hypothesis import strategies as st

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    FloatParameter,
    IntegerParameter,
    Parameter,
    SearchSpace,
)
from scoot_ray.core.trial import TrialRecord

METRICS = ("ttft_mean_s", "tpot_mean_s", "throughput_rps")
WILD = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300)


def _parameter(name: str, kind: int) -> Parameter:
    kinds: list[Parameter] = [
        IntegerParameter(name, 64, 8192),
        IntegerParameter(name, 1, 8, log2=True),
        IntegerParameter(name, -2, 3),
        FloatParameter(name, 0.0, 2.0),
        FloatParameter(name, 0.5, 0.5),
        ChoiceParameter(name, (8, 16, 32)),
        ChoiceParameter(name, ("fcfs", "priority")),
        BooleanParameter(name),
    ]
    return kinds[kind]


NUM_KINDS = 8
COVERS = "second_covers_first"


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Draw up to six parameters, at times with two more under a known constraint."""
    kinds = draw(st.lists(st.integers(0, NUM_KINDS - 1), min_size=1, max_size=6))
    parameters = [_parameter(f"p{i}", kind) for i, kind in enumerate(kinds)]
    default = {p.name: p.decode(draw(st.floats(0, 1))) for p in parameters}
    if not draw(st.booleans()):
        return SearchSpace(parameters, default)
    parameters += [IntegerParameter("first", 64, 8192), IntegerParameter("second", 64, 8192)]
    covers = KnownConstraint(COVERS, lambda c: bool(c["second"] >= c["first"]))
    return SearchSpace(parameters, {**default, "first": 256, "second": 4096}, [covers])


@st.composite
def configs(draw: st.DrawFn, space: SearchSpace) -> dict[str, Any]:
    """Draw a valid configuration."""
    config = {p.name: p.decode(draw(st.floats(0, 1))) for p in space.parameters}
    return config if space.is_valid(config) else dict(space.default)


@st.composite
def records(draw: st.DrawFn, space: SearchSpace) -> TrialRecord:
    """Draw a trial that ended in any way, with metrics of any size."""
    values = st.one_of(st.floats(1e-3, 1e3), st.sampled_from(WILD))
    state = draw(st.sampled_from([TrialState.COMPLETE] * 4 + list(TrialState)))
    metrics = {name: draw(values) for name in METRICS} if state is TrialState.COMPLETE else {}
    return TrialRecord(0, draw(configs(space)), state, metrics)
