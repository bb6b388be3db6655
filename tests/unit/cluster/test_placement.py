"""The bundles that a trial claims."""

from typing import Any

import pytest

from cluster.placement import GIB, Placement
from scoot_ray.core.study import parse_study
from tests.integration.studies import STUDY


def study(placement: dict[str, Any] | None = None, **fixed: Any) -> Any:
    engine = {**STUDY["engine"], "fixed": {**STUDY["engine"]["fixed"], **fixed}}
    return parse_study({**STUDY, "engine": engine, "placement": placement or {}})


@pytest.mark.parametrize("num_gpus", [1, 2, 8])
def test_one_packed_bundle_with_all_gpus_of_a_replica(num_gpus: int) -> None:
    factory = Placement.of(study()).factory(num_gpus, node_gpus=8)
    assert factory.bundles == [{"CPU": 1.0, "GPU": float(num_gpus)}]
    assert factory.strategy == "STRICT_PACK"


def test_cpus_memory_and_labels_of_the_study() -> None:
    labels = {"ray.io/market-type": "spot"}
    section = {"num_cpus": 4, "memory_gib": 16, "labels": labels}
    factory = Placement.of(study(section)).factory(2, node_gpus=8)
    assert factory.bundles == [{"CPU": 4.0, "GPU": 2.0, "memory": 16.0 * GIB}]
    assert factory._kwargs == {"bundle_label_selector": [labels]}


def test_a_replica_spans_nodes_only_where_its_engine_runs_on_ray() -> None:
    on_ray = Placement.of(study(distributed_executor_backend="ray"))
    factory = on_ray.factory(16, node_gpus=8)
    assert factory.bundles == [{"CPU": 1.0, "GPU": 8.0}, {"GPU": 8.0}]
    assert factory.strategy == "PACK"
    assert len(Placement.of(study()).factory(16, node_gpus=8).bundles) == 1


def test_bundles_of_one_trial_are_as_equal_as_can_be() -> None:
    bundles = Placement(spans_nodes=True).bundles(12, node_gpus=8)
    assert [bundle["GPU"] for bundle in bundles] == [6.0, 6.0]
    assert [b["GPU"] for b in Placement(spans_nodes=True).bundles(7, node_gpus=4)] == [4.0, 3.0]
