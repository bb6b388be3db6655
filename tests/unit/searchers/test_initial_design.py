import numpy as np
import pytest

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.errors import SpaceError
from scoot_ray.core.space import FloatParameter, SearchSpace
from searchers.initial_design import InitialDesign, draw_valid, make_up, sobol_stream
from searchers.observations import key_of
from tests.unit.searchers.spaces import FOUR_CONFIGS, TINY_REGION, VLLM


def test_default_then_as_many_points_as_parameters() -> None:
    design = InitialDesign(VLLM, VLLM.dim, seed=0).propose(frozenset(), 100)
    assert len(design) == 1 + VLLM.dim
    assert design[0] == VLLM.default
    assert all(VLLM.is_valid(config) for config in design)


def test_one_at_a_time_gives_the_same_as_at_once() -> None:
    at_once = InitialDesign(VLLM, VLLM.dim, seed=4).propose(frozenset(), 10)
    one_by_one: list[dict[str, object]] = []
    while len(one_by_one) < 10:
        taken = {key_of(VLLM, config) for config in one_by_one}
        one_by_one += InitialDesign(VLLM, VLLM.dim, seed=4).propose(taken, 1)
    assert one_by_one == at_once


def test_is_over_after_as_many_foreign_configurations() -> None:
    other = InitialDesign(VLLM, VLLM.dim, seed=1).propose(frozenset(), 10)
    taken = {key_of(VLLM, config) for config in other}
    assert InitialDesign(VLLM, VLLM.dim, seed=2).propose(taken, 1) == []


def test_advice_comes_between_the_default_and_the_points() -> None:
    plain = InitialDesign(VLLM, 3, seed=0).propose(frozenset(), 4)
    advice = tuple(InitialDesign(VLLM, 2, seed=1).propose(frozenset(), 3)[1:])
    design = InitialDesign(VLLM, 3, seed=0, advice=advice)
    assert design.propose(frozenset(), 9) == [plain[0], *advice, *plain[1:]]
    assert design.propose({key_of(VLLM, advice[0])}, 2) == [plain[0], advice[1]]


def test_small_space_gives_what_it_has() -> None:
    stream = sobol_stream(FOUR_CONFIGS.dim, 0)
    assert len(draw_valid(FOUR_CONFIGS, stream, 10, frozenset())) == 4


def test_tiny_region_is_found() -> None:
    assert len(InitialDesign(TINY_REGION, 2, seed=0).propose(frozenset(), 3)) == 3


def test_impossible_region_is_explained() -> None:
    never = KnownConstraint("x_is_magic", lambda c: c["x"] == 0.125)
    space = SearchSpace([FloatParameter("x", 0.0, 0.3)], {"x": 0.125}, [never])
    with pytest.raises(SpaceError, match=r"x_is_magic.*relax"):
        InitialDesign(space, 1, seed=0).propose(frozenset(), 2)


def test_sobol_fills_the_cube_evenly() -> None:
    stream = sobol_stream(3, seed=0)
    points = np.array([next(stream) for _ in range(512)])
    counts, _ = np.histogram(points[:, 1], bins=16, range=(0.0, 1.0))
    assert (counts == 32).all()


def test_make_up_repeats_only_in_the_end() -> None:
    everything = frozenset((a, b) for a in (False, True) for b in ("u", "v"))
    configs = make_up(FOUR_CONFIGS, everything, 6, seed=0)
    assert len({key_of(FOUR_CONFIGS, config) for config in configs}) == 4
    assert len(configs) == 6
