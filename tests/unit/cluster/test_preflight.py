"""What fits on a cluster, told before anything waits for it."""

from typing import Any

import pytest

from cluster.node_labels import ACCELERATOR, MARKET
from cluster.placement import Placement
from cluster.preflight import Capacity, Node
from scoot_ray.core.errors import ClusterError
from scoot_ray.core.study import Study, parse_study
from tests.integration.studies import STUDY

SPOT = {MARKET: "spot"}


def study(**placement: Any) -> Study:
    return parse_study({**STUDY, "placement": placement})


def capacity(*gpus: int, num_cpus: float = 64, **placement: Any) -> Capacity:
    nodes = [Node(n, num_cpus) for n in gpus]
    return Capacity.for_study(study(**placement), nodes, has_logical_gpus=True)


def test_a_node_is_read_from_ray() -> None:
    node = Node.of_ray({"Resources": {"GPU": 4.0, "CPU": 8.0, "memory": 5.0}, "Labels": SPOT})
    assert node == Node(4, 8.0, 5.0, SPOT)
    assert Node.of_ray({"Resources": {}}).num_gpus == 0


def test_nodes_without_gpus_do_not_count() -> None:
    found = capacity(2, 0, 4)
    assert [node.num_gpus for node in found.nodes] == [4, 2]
    assert (found.num_gpus, found.largest_node_gpus, found.largest_trial_gpus) == (6, 4, 4)


@pytest.mark.parametrize(("size", "expected"), [(1, 6), (2, 3), (4, 1), (8, 0)])
def test_a_bundle_never_spans_nodes(size: int, expected: int) -> None:
    assert capacity(4, 2).num_concurrent(size) == expected


def test_a_replica_of_an_engine_on_ray_does() -> None:
    nodes = (Node(8, 64), Node(8, 64), Node(8, 64))
    assert Capacity(nodes, Placement(spans_nodes=True)).num_concurrent(16) == 1


def test_cpus_and_memory_limit_the_trials_at_once() -> None:
    assert capacity(8, num_cpus=3).num_concurrent(1) == 3
    heavy = study(num_cpus=4, memory_gib=1)
    node = Node(8, 64, memory_bytes=2.5 * 2**30)
    assert Capacity.for_study(heavy, [node], has_logical_gpus=True).num_concurrent(1) == 2


def test_a_default_that_fits_nowhere_is_refused() -> None:
    capacity(4, 2).require(4)
    with pytest.raises(ClusterError, match=r"claims 1 CPU, 8 GPU .* has 4 GPU"):
        capacity(4, 2).require(8)
    with pytest.raises(ClusterError, match=r"placement\.autoscaler"):
        capacity().require(1)


def test_labels_choose_the_nodes() -> None:
    nodes = [Node(8, 64), Node(4, 64, labels=SPOT)]
    found = Capacity.for_study(study(labels=SPOT), nodes, has_logical_gpus=True)
    assert found.largest_node_gpus == 4
    with pytest.raises(ClusterError, match="market-type unlabelled"):
        Capacity.for_study(study(labels=SPOT), nodes[:1], has_logical_gpus=True)


def test_trials_stay_off_other_accelerators() -> None:
    a100, h100 = (Node(8, 64, labels={ACCELERATOR: name}) for name in ("A100", "H100"))
    found = Capacity.for_study(study(), [a100, h100], has_logical_gpus=False)
    assert found.nodes == (a100,)
    assert found.placement.labels == {ACCELERATOR: "in(A100)"}
    with pytest.raises(ClusterError, match="accelerator-type H100"):
        Capacity.for_study(study(), [h100], has_logical_gpus=False)


def test_an_autoscaler_counts_for_what_it_may_add() -> None:
    elastic = capacity(autoscaler={"node_gpus": 8, "max_nodes": 2})
    assert (elastic.largest_trial_gpus, elastic.num_concurrent(8)) == (8, 2)
    assert "at most 2 x 8 GPU(s)" in elastic.describe([8], 1)


def test_large_bundles_do_not_starve_and_an_autoscaler_sees_all_demand() -> None:
    assert capacity(8).max_pending(4) == 1
    assert capacity(autoscaler={"node_gpus": 8, "max_nodes": 2}).max_pending(4) == 4


def test_the_description() -> None:
    nodes = [Node(8, 64, labels=SPOT), Node(8, 64, labels=SPOT), Node(4, 64)]
    found = Capacity.for_study(study(), nodes, has_logical_gpus=True)
    text = found.describe([1, 8], 32)
    assert text.startswith(
        "2 x 8 GPU(s) spot + 1 x 4 GPU(s); trials at once: 20 of 1 GPU(s), 2 of 8"
    )
    assert "at most 20 can run at once: write search.parallelism: 20" in text
    assert "at most" not in found.describe([1, 8], 20)


@pytest.mark.parametrize("num_cpus", [1, 2, 7, 64])
def test_exclusive_trials_have_a_node_each(num_cpus: int) -> None:
    found = capacity(8, 8, num_cpus=num_cpus, exclusive="node")
    assert found.num_concurrent(1) == 2
    assert found.num_concurrent(8) == 2
    assert capacity(8, 8, num_cpus=64).num_concurrent(1) == 16
