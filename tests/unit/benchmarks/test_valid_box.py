"""The box that peers search: valid everywhere, and back again."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.comparison.catalogue import Sources, all_services
from benchmarks.comparison.valid_box import ValidBox
from scoot_ray.core.space import BooleanParameter, FloatParameter, IntegerParameter, SearchSpace

NOWHERE = Sources(Path("no-such-trace.csv"))


@pytest.mark.parametrize(
    "name", ["bot-7b-4xL40S-v0", "bot-7b-4xL40S-v1", "closed-online-1", "vidur-bot-7b-4xA100"]
)
def test_every_point_is_a_valid_configuration_and_comes_back(name: str) -> None:
    space = all_services(NOWHERE)[name].space
    box = ValidBox(space)
    assert box.pivot is not None
    assert space.names[box.pivot] == "max_num_batched_tokens"
    for units in np.random.default_rng(0).random((30, space.dim)):
        config = box.decode(box.from_unit_cube(units.tolist()))
        space.validate(config)
        assert box.decode(box.encode(config)) == config
    assert box.decode(box.encode(space.default)) == dict(space.default)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_both_ends_of_every_axis_are_valid(end: float) -> None:
    space = all_services(NOWHERE)["bot-7b-4xL40S-v1"].space
    box = ValidBox(space)
    space.validate(box.decode(box.from_unit_cube([min(end, 1 - 1e-9)] * space.dim)))
    space.validate(box.decode([end if a["kind"] == "real" else 0 for a in box.dimensions]))


def test_a_space_without_constraints_has_no_pivot() -> None:
    space = SearchSpace(
        [IntegerParameter("n", 1, 4), FloatParameter("x", 0, 1), BooleanParameter("b")],
        {"n": 1, "x": 0.5, "b": True},
    )
    box = ValidBox(space)
    assert box.pivot is None
    assert [axis["kind"] for axis in box.dimensions] == ["ordinal", "real", "choice"]
    assert box.decode([3, 0.25, 1]) == {"n": 4, "x": 0.25, "b": True}
    assert box.encode({"n": 4, "x": 0.25, "b": True}) == [3, 0.25, 1]
