"""What fits on a cluster, told before anything waits for it."""

import pytest

from cluster.preflight import Capacity
from scoot_ray.core.errors import ClusterError


def node(gpus: float, cpus: float = 8, *, alive: bool = True) -> dict[str, object]:
    return {"Alive": alive, "Resources": {"GPU": gpus, "CPU": cpus}}


def test_dead_nodes_and_nodes_without_gpus_do_not_count() -> None:
    capacity = Capacity.from_nodes([node(4), node(8, alive=False), node(0), node(2)])
    assert capacity.gpus_by_node == (4, 2)
    assert capacity.num_gpus == 6
    assert capacity.largest_node_gpus == 4


@pytest.mark.parametrize(("size", "expected"), [(1, 6), (2, 3), (4, 1), (8, 0)])
def test_a_bundle_never_spans_nodes(size: int, expected: int) -> None:
    assert Capacity((4, 2), num_cpus=64).num_concurrent(size) == expected


def test_cpus_limit_the_trials_at_once() -> None:
    assert Capacity((8,), num_cpus=3).num_concurrent(1) == 3


def test_more_gpus_than_the_cluster_has() -> None:
    with pytest.raises(ClusterError, match=r"num_gpus: 8; the cluster has 4 GPU"):
        Capacity((4,), num_cpus=8).require(8, largest_bundle_gpus=4)


def test_a_bundle_larger_than_the_largest_node() -> None:
    with pytest.raises(ClusterError, match=r"largest node has 4 .*high to 4"):
        Capacity((4, 4), num_cpus=8).require(8, largest_bundle_gpus=8)


def test_a_study_that_fits_passes() -> None:
    Capacity((4, 4), num_cpus=8).require(8, largest_bundle_gpus=4)
