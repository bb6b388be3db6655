import numpy as np
import pytest

from scoot_ray.core.space import FloatArray
from searchers.candidates import Candidates, Region, make_up, search
from searchers.feasibility import Feasibility
from searchers.observations import key_of
from tests.unit.searchers.spaces import FOUR_CONFIGS, ONE_FLOAT, TINY_REGION, VLLM

ANYWHERE = Feasibility(None)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_finds_the_maximum_of_a_known_function() -> None:
    region = Region(VLLM, ANYWHERE, 0.5, frozenset())
    target = VLLM.encode({**VLLM.default, "max_num_seqs": 3000, "enable_prefix_caching": True})

    def closeness(points: FloatArray) -> FloatArray:
        return np.asarray(-((points - target) ** 2).sum(axis=1, keepdims=True))

    found = search(region, closeness, [], rng())
    best = found.configs[int(np.argmax(found.values[:, 0]))]
    assert found.values.max() > -0.05
    assert best["enable_prefix_caching"]
    assert all(VLLM.is_valid(config) for config in found.configs)


def test_stays_where_it_is_feasible_and_not_taken() -> None:
    points = np.random.default_rng(1).random((60, 1))
    feasibility = Feasibility.fit(points, points[:, 0] < 0.5, seed=0)
    taken = frozenset({key_of(ONE_FLOAT, {"x": 0.0})})
    found = search(Region(ONE_FLOAT, feasibility, 0.5, taken), lambda p: p, [], rng())
    assert (feasibility.probability(found.points) >= 0.5).all()
    assert not taken & {key_of(ONE_FLOAT, config) for config in found.configs}
    assert found.points.max() > 0.4


def test_is_empty_when_nothing_is_left() -> None:
    everything = frozenset((a, b) for a in (False, True) for b in ("u", "v"))
    found = search(Region(FOUR_CONFIGS, ANYWHERE, 0.5, everything), lambda p: p, [], rng())
    assert len(found) == 0


def test_starts_from_the_elite() -> None:
    elite = [TINY_REGION.encode(TINY_REGION.default)]
    found = search(Region(TINY_REGION, ANYWHERE, 0.5, frozenset()), lambda p: p, elite, rng())
    assert found.points.max() > 0.51


def test_fronts_peel_the_values() -> None:
    values = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    candidates = Candidates(({},) * 4, np.zeros((4, 1)), values)
    assert [sorted(front) for front in candidates.fronts()] == [[2, 3], [1], [0]]


def test_make_up_prefers_what_is_safe() -> None:
    points = np.random.default_rng(1).random((60, 1))
    feasibility = Feasibility.fit(points, points[:, 0] < 0.1, seed=0)
    configs = make_up(Region(ONE_FLOAT, feasibility, 0.5, frozenset()), 2, seed=0)
    assert [config["x"] for config in configs] == pytest.approx([-0.9, -0.9], abs=0.12)


def test_make_up_repeats_only_in_the_end() -> None:
    everything = frozenset((a, b) for a in (False, True) for b in ("u", "v"))
    configs = make_up(Region(FOUR_CONFIGS, ANYWHERE, 0.5, everything), 6, seed=0)
    assert len({key_of(FOUR_CONFIGS, config) for config in configs}) == 4
    assert len(configs) == 6
