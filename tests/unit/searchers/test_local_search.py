import numpy as np

from scoot_ray.core.space import FloatArray
from searchers.local_search import maximise
from tests.unit.searchers.spaces import FOUR_CONFIGS, TINY_REGION, VLLM

NOWHERE = np.empty((0, 1))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_finds_the_maximum_of_a_known_function() -> None:
    target = {**VLLM.default, "max_num_seqs": 3000, "enable_prefix_caching": True}

    def closeness(points: FloatArray) -> FloatArray:
        return np.asarray(-((points - VLLM.encode(target)) ** 2).sum(axis=1, keepdims=True))

    found = maximise(VLLM, closeness, NOWHERE, frozenset(), rng())
    assert found is not None
    assert VLLM.is_valid(found)
    assert closeness(VLLM.encode(found)[None])[0, 0] > -0.02


def test_climbs_from_the_elite() -> None:
    elite = TINY_REGION.encode(TINY_REGION.default)[None]
    found = maximise(TINY_REGION, lambda p: p[:, :1], elite, frozenset(), rng())
    assert found is not None
    assert found["x"] > 0.515


def test_finds_nothing_where_nothing_is_left() -> None:
    everything = frozenset((a, b) for a in (False, True) for b in ("u", "v"))
    assert maximise(FOUR_CONFIGS, lambda p: p[:, :1], NOWHERE, everything, rng()) is None


def test_passes_over_what_is_taken() -> None:
    taken = frozenset({(True, "v"), (True, "u"), (False, "v")})
    found = maximise(FOUR_CONFIGS, lambda p: p[:, :1], NOWHERE, taken, rng())
    assert found == {"a": False, "b": "u"}
