"""What a manifest must be beyond its schema, checked offline before it is written.

Ray's schema of launcher files says nothing of a node's own configuration, of markets or of counts
that contradict each other. KubeRay's own checks are in its operator, which is not here; those of
the fields that we use are in `schemas.yaml`, read off its 1.7.0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jsonschema
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from cluster.manifests.template import read_config
from cluster.node_labels import MARKET
from scoot_ray.core.errors import ClusterError

Problems = Iterator[str]


def require_sound_launcher(config: Mapping[str, Any]) -> None:
    """Check a file of Ray's cluster launcher.

    Raises:
        ClusterError: Listing every problem.
    """
    problems = list(_launcher_problems(config))
    if not problems:
        try:
            validate_config(prepare_config(dict(config)))
        except (ValueError, RuntimeError, jsonschema.ValidationError) as error:
            problems.append(str(error).splitlines()[0])
    _refuse(problems)


def require_sound_ray_objects(documents: Iterable[Mapping[str, Any]]) -> None:
    """Check the objects of KubeRay among some objects of Kubernetes.

    Raises:
        ClusterError: Listing every problem.
    """
    every = list(documents)
    problems = list(_reference_problems(every))
    for document in every:
        if str(document.get("apiVersion", "")).startswith("ray.io/"):
            problems += _schema_problems(document, "RayObject")
            problems += _ray_object_problems(document)
    _refuse(problems)


def _launcher_problems(config: Mapping[str, Any]) -> Problems:
    cloud = config.get("provider", {}).get("type")
    types = config.get("available_node_types", {})
    head = config.get("head_node_type")
    for name, node in types.items():
        low, high = node.get("min_workers", 0), node.get("max_workers", 0)
        if low > high:
            yield f"{name}: min_workers {low} is above max_workers {high}."
        if cloud in _NODE_SCHEMAS:
            yield from _schema_problems(node.get("node_config"), _NODE_SCHEMAS[cloud], name)
        is_spot = _is_spot(node.get("node_config") or {})
        labelled = node.get("labels", {}).get(MARKET)
        if labelled != ("spot" if is_spot else "on-demand"):
            yield f"{name}: label {MARKET} is {labelled!r}, but its nodes are not of that market."
        if name == head and is_spot:
            yield f"{name}: the head is a spot node; the study's driver would go with it."
        if is_spot and config["provider"].get("cache_stopped_nodes", cloud == "aws"):
            yield f"{name}: spot nodes cannot be stopped; cache_stopped_nodes must be false."
    workers = sum(node.get("max_workers", 0) for name, node in types.items() if name != head)
    if config.get("max_workers", 0) > workers:
        yield f"max_workers {config['max_workers']} is above what the node types allow, {workers}."


def _ray_object_problems(document: Mapping[str, Any]) -> Problems:
    spec = document.get("spec", {})
    if document.get("kind") == "RayJob":
        if spec.get("suspend") and not spec.get("shutdownAfterJobFinishes"):
            yield "a RayJob that can be suspended needs shutdownAfterJobFinishes: true."
        environment = yaml.safe_load(spec.get("runtimeEnvYAML", "{}"))
        if not isinstance(environment, dict):
            yield "runtimeEnvYAML: expected a mapping."
    cluster = spec.get("rayClusterSpec", {}) if document.get("kind") == "RayJob" else spec
    for group in cluster.get("workerGroupSpecs", []):
        low, high = group.get("minReplicas", 0), group.get("maxReplicas", 0)
        name = group.get("groupName")
        if not low <= group.get("replicas", 0) <= high:
            yield f"{name}: expected minReplicas <= replicas <= maxReplicas, got {low} and {high}."
        yield from _market_problems(group)


def _market_problems(group: Mapping[str, Any]) -> Problems:
    """Compare a group's market label with the nodes that its pods ask for."""
    pod = group.get("template", {}).get("spec", {})
    selector, tolerations = pod.get("nodeSelector", {}), pod.get("tolerations", [])
    tolerated = {(each["key"], each.get("value")) for each in tolerations}
    spots = {(key, value) for key, value in selector.items() if "spot" in f"{key}{value}".lower()}
    if spots and group.get("labels", {}).get(MARKET) != "spot":
        yield f"{group.get('groupName')}: its nodes are spot, but its label {MARKET} is not."
    for key, value in spots - tolerated:
        yield f"{group.get('groupName')}: asks for spot nodes, but does not tolerate {key}={value}."


def _reference_problems(documents: Sequence[Mapping[str, Any]]) -> Problems:
    """Find mounts without a volume, and volumes of claims and maps that are not here."""
    kinds = {"configMap": ("ConfigMap", "name"), "persistentVolumeClaim": (_CLAIM, "claimName")}
    here = {(each.get("kind"), each.get("metadata", {}).get("name")) for each in documents}
    for pod in _pods(documents):
        volumes = pod.get("volumes", [])
        names = {volume["name"] for volume in volumes}
        for container in pod.get("containers", []):
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in names:
                    yield f"{container['name']} mounts {mount['name']}, which is no volume."
        for volume in volumes:
            for source, (kind, key) in kinds.items():
                if source in volume and (kind, volume[source].get(key)) not in here:
                    yield f"volume {volume['name']}: there is no {kind} {volume[source].get(key)}."


def _pods(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every pod's specification below a value."""
    if isinstance(value, Mapping):
        if "containers" in value:
            yield value
        for inner in value.values():
            yield from _pods(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _pods(inner)


def _is_spot(node_config: Mapping[str, Any]) -> bool:
    market = node_config.get("InstanceMarketOptions", {}).get("MarketType")
    model = node_config.get("scheduling", {}).get("provisioningModel")
    return (market, model) != (None, None)


def _schema_problems(value: Any, definition: str, where: str = "") -> Problems:
    schema = read_config("manifests/schemas.yaml")
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{definition}", **schema})
    for error in validator.iter_errors(value):
        path = ".".join([where, *map(str, error.absolute_path)]).strip(".")
        yield f"{path}: {error.message}."


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise ClusterError("\n".join(["The manifest is not sound:", *(f"  {p}" for p in problems)]))


_CLAIM = "PersistentVolumeClaim"
_NODE_SCHEMAS = {"aws": "AwsNode", "gcp": "GcpNode"}
