"""What would start at once on nodes that are up."""

import pytest

from cluster.preflight import Node
from cluster.room import fits


def trial(num_gpus: int) -> list[dict[str, float]]:
    return [{"CPU": 1.0, "GPU": float(num_gpus)}]


@pytest.mark.parametrize(
    ("running", "largest"),
    [([], 8), ([1], 8), ([8], 4), ([2, 1], 8), ([4, 8], 0), ([4, 4, 4], 0), ([4, 4, 2], 2)],
)
def test_trials_share_the_fullest_node(running: list[int], largest: int) -> None:
    nodes = [Node(8, 64), Node(4, 64)]
    sizes = [n for n in range(1, 9) if fits(nodes, trial(n), map(trial, running))]
    assert max(sizes, default=0) == largest


def test_nothing_fits_where_no_node_is_up() -> None:
    assert not fits([], trial(1), [])


def test_what_waits_for_a_node_takes_no_room() -> None:
    assert fits([Node(2, 8)], trial(2), [trial(4)])


def test_cpus_and_memory_are_room_too() -> None:
    nodes = [Node(8, 2, memory_bytes=10.0)]
    assert not fits(nodes, trial(1), [trial(1), trial(1)])
    claim = [{"CPU": 1.0, "GPU": 1.0, "memory": 6.0}]
    assert fits(nodes, claim, [])
    assert not fits(nodes, claim, [claim])


def test_a_replica_may_span_nodes() -> None:
    two = [{"CPU": 1.0, "GPU": 4.0}, {"GPU": 4.0}]
    assert fits([Node(4, 8), Node(4, 8)], two, [])
    assert not fits([Node(4, 8), Node(4, 8)], two, [trial(1)])
