"""Broken copies of manifests are caught, each by what it breaks."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.manifests.checks import require_sound_launcher, require_sound_ray_objects
from scoot_ray.core.errors import ClusterError
from tests.unit.cluster.manifests import documents, one

Break = Callable[[Any], object]


def worker(config: Any) -> Any:
    return config["available_node_types"]["gpu-worker"]


def group(cluster: Any) -> Any:
    return cluster["spec"]["workerGroupSpecs"][0]


def node(config: Any) -> Any:
    return worker(config)["node_config"]


LAUNCHERS: dict[str, tuple[str, Break, str]] = {
    "a misspelt key": ("aws", lambda c: c.update(max_worker=1), "max_worker"),
    "a misspelt node key": ("aws", lambda c: worker(c).update(min_worker=1), "min_worker"),
    "half a GPU": ("aws", lambda c: worker(c)["resources"].update(GPU=0.5), "0.5"),
    "no such head": ("aws", lambda c: c.update(head_node_type="boss"), "head_node_type"),
    "min above max": ("gcp", lambda c: worker(c).update(min_workers=9), "above max_workers 8"),
    "more than the types": ("aws", lambda c: c.update(max_workers=99), "above what the node"),
    "a misspelt market": (
        "aws",
        lambda c: node(c).update(InstanceMarketOptions={"MarketTyp": "spot"}),
        "MarketTyp",
    ),
    "a market that is none": (
        "aws",
        lambda c: node(c)["InstanceMarketOptions"].update(MarketType="Spot"),
        "'spot' was expected",
    ),
    "on demand, said to be spot": (
        "aws",
        lambda c: node(c).pop("InstanceMarketOptions"),
        "not of that market",
    ),
    "no machine": ("aws", lambda c: node(c).pop("InstanceType"), "InstanceType"),
    "a machine of the other cloud": (
        "gcp",
        lambda c: node(c).update(machineType="g6.12xlarge"),
        "g6.12xlarge",
    ),
    "a list of schedulings": (
        "gcp",
        lambda c: node(c).update(scheduling={"preemptible": True}),
        "preemptible",
    ),
    "stopped spot nodes": (
        "aws",
        lambda c: c["provider"].pop("cache_stopped_nodes"),
        "cache_stopped_nodes",
    ),
    "a head on spot": (
        "gcp",
        lambda c: (
            c["available_node_types"]["head"]["node_config"].update(
                scheduling=node(c)["scheduling"]
            ),
            c["available_node_types"]["head"]["labels"].update({"ray.io/market-type": "spot"}),
        ),
        "the head is a spot node",
    ),
}

CLUSTERS: dict[str, tuple[Break, str]] = {
    "a misspelt field": (lambda c: c["spec"].update(enableInTreeAutoscalling=True), "Autoscalling"),
    "autoscaler v1": (lambda c: c["spec"]["autoscalerOptions"].update(version="v1"), "v2"),
    "no token": (lambda c: c["spec"].pop("authOptions"), "authOptions"),
    "another API": (lambda c: c.update(apiVersion="ray.io/v1alpha1"), "ray.io/v1"),
    "another Ray": (lambda c: c["spec"].update(rayVersion="2.59.0"), "2.59.0"),
    "min above max": (lambda c: group(c).update(minReplicas=99), "minReplicas <= replicas"),
    "no workers": (lambda c: group(c).update(maxReplicas=0), "maxReplicas"),
    "a number for a parameter": (
        lambda c: group(c).update(rayStartParams={"num-gpus": 4}),
        "num-gpus",
    ),
    "spot not tolerated": (
        lambda c: group(c)["template"]["spec"].pop("tolerations"),
        "does not tolerate",
    ),
    "spot, said to be on demand": (
        lambda c: group(c)["labels"].update({"ray.io/market-type": "on-demand"}),
        "its label",
    ),
    "a restart policy": (
        lambda c: group(c)["template"]["spec"].update(restartPolicy="Always"),
        "Never",
    ),
    "a volume that is not there": (
        lambda c: group(c)["template"]["spec"].update(volumes=[]),
        "which is no volume",
    ),
    "a claim that is not there": (
        lambda c: group(c)["template"]["spec"]["volumes"][0]["persistentVolumeClaim"].update(
            claimName="other"
        ),
        "there is no PersistentVolumeClaim other",
    ),
    "a long name": (lambda c: c["metadata"].update(name="x" * 48), "does not match"),
}


@pytest.mark.parametrize("broken", LAUNCHERS)
def test_a_broken_launcher_file_is_caught(broken: str) -> None:
    case, breaks, expected = LAUNCHERS[broken]
    (config,) = documents(case)
    require_sound_launcher(config)
    breaks(config)
    with pytest.raises(ClusterError, match=expected):
        require_sound_launcher(config)


@pytest.mark.parametrize("broken", CLUSTERS)
def test_a_broken_cluster_is_caught(broken: str) -> None:
    breaks, expected = CLUSTERS[broken]
    found = documents("raycluster")
    require_sound_ray_objects(found)
    breaks(one(found, "RayCluster"))
    with pytest.raises(ClusterError, match=expected):
        require_sound_ray_objects(found)


def test_a_job_that_is_suspended_must_give_its_cluster_back() -> None:
    found = documents("rayjob", schedule={"window": "22:00-06:00", "timezone": "UTC"})
    ours = [each for each in found if each["kind"] in ("RayJob", "ConfigMap")]
    ours.append(one(found, "PersistentVolumeClaim"))
    one(ours, "RayJob")["spec"]["shutdownAfterJobFinishes"] = False
    with pytest.raises(ClusterError, match="shutdownAfterJobFinishes: true"):
        require_sound_ray_objects(ours)
