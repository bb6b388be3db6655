import numpy as np

from searchers.mutation import mutate
from tests.unit.searchers.spaces import VLLM

POINT = VLLM.encode(VLLM.default)


def children(num_expected: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return mutate(VLLM, np.tile(POINT, (2000, 1)), rng, num_expected)


def test_stays_in_the_cube_and_moves_something() -> None:
    moved = children(1.0) != POINT
    assert ((children(1.0) >= 0) & (children(1.0) <= 1)).all()
    assert moved.any(axis=1).mean() > 0.9  # steps out of the cube end where they began
    assert 1.0 <= moved.sum(axis=1).mean() < 2.5


def test_every_value_of_a_choice_comes_up() -> None:
    blocks = {VLLM.decode(child)["block_size"] for child in children(1.0)}
    assert blocks == {8, 16, 32}
