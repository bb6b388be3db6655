import numpy as np

from scoot_ray.core.space import FloatArray
from searchers.candidates import Candidates, Region, search
from searchers.feasibility import Feasibility
from searchers.observations import key_of
from tests.unit.searchers.spaces import FOUR_CONFIGS, ONE_FLOAT, VLLM


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_finds_the_maximum_of_a_known_function() -> None:
    region = Region(VLLM, frozenset())
    target = VLLM.encode({**VLLM.default, "max_num_seqs": 3000, "enable_prefix_caching": True})

    def closeness(points: FloatArray) -> FloatArray:
        return np.asarray(-((points - target) ** 2).sum(axis=1, keepdims=True))

    found = search(region, closeness, rng())
    best = found.configs[int(np.argmax(found.values[:, 0]))]
    assert found.values.max() > -0.05
    assert best["enable_prefix_caching"]
    assert all(VLLM.is_valid(config) for config in found.configs)


def test_stays_where_it_is_feasible_and_not_taken() -> None:
    points = np.random.default_rng(1).random((60, 1))
    feasibility = Feasibility.fit(points, points[:, 0] < 0.5, seed=0)
    taken = frozenset({key_of(ONE_FLOAT, {"x": 0.0})})
    found = search(Region(ONE_FLOAT, taken, feasibility, 0.5), lambda p: p, rng())
    points = np.array([ONE_FLOAT.encode(config) for config in found.configs])
    assert (feasibility.probability(points) >= 0.5).all()
    assert not taken & {key_of(ONE_FLOAT, config) for config in found.configs}
    assert points.max() > 0.4


def test_is_empty_when_nothing_is_left() -> None:
    everything = frozenset((a, b) for a in (False, True) for b in ("u", "v"))
    found = search(Region(FOUR_CONFIGS, everything), lambda p: p, rng())
    assert len(found) == 0


def test_fronts_peel_the_values() -> None:
    values = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    candidates = Candidates(tuple({"x": i} for i in range(4)), values)
    assert [sorted(front) for front in candidates.fronts()] == [[2, 3], [1], [0]]
    drawn = [config["x"] for config in candidates.draw(3, rng())]
    assert sorted(drawn[:2]) == [2, 3]
    assert drawn[2] == 1
    assert candidates.best(2) == [{"x": 3}, {"x": 1}]
