"""What would start at once, on nodes that a real Ray reports."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.connection import connect
from cluster.preflight import Capacity
from cluster.room import has_room
from scoot_ray.core.study import load_study
from tests.fault.raylets import raylets
from tests.integration.studies import write_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_nodes_that_are_up_and_no_others(tmp_path: Path) -> None:
    elastic = {"autoscaler": {"node_gpus": 8, "max_nodes": 2}}
    study = load_study(write_study(tmp_path, placement=elastic))
    with raylets() as cluster:
        cluster.add_node(num_gpus=4)
        with connect(cluster.address, parallelism=1, logical_gpus=None):
            wait_until(lambda: Capacity.of_cluster(study, has_logical_gpus=True).nodes_up())
            capacity = Capacity.of_cluster(study, has_logical_gpus=True)
            assert capacity.largest_trial_gpus == 8
            assert has_room(capacity, 4, [])
            assert not has_room(capacity, 8, [])
            assert has_room(capacity, 2, [2])
            assert not has_room(capacity, 2, [2, 1])
            cluster.add_node(num_gpus=2)
            wait_until(lambda: has_room(capacity, 2, [2, 1]))


def wait_until(holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s, "the nodes did not come up"
        time.sleep(0.1)
