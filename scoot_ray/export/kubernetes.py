"""A Deployment and a Service for plain Kubernetes."""

from typing import Any

from scoot_ray.export.choice import Choice
from scoot_ray.export.plain_yaml import to_yaml
from scoot_ray.export.pod import PORT, annotations, pod_spec, resource_name, secret_notes


def to_kubernetes(choice: Choice) -> str:
    """Return both objects as one YAML stream, for `kubectl apply`."""
    notes = [*choice.evidence(), *secret_notes(choice)]
    return to_yaml(notes, _deployment(choice), _service(choice))


def _deployment(choice: Choice) -> dict[str, Any]:
    labels = _labels(choice)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**_metadata(choice), "annotations": annotations(choice)},
        "spec": {
            "replicas": choice.num_replicas,
            # The replicas own all GPUs, so a new pod finds room only when an old one has gone.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": pod_spec(choice, container_name="vllm"),
            },
        },
    }


def _service(choice: Choice) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(choice),
        "spec": {
            "selector": _labels(choice),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    }


def _metadata(choice: Choice) -> dict[str, Any]:
    return {"name": resource_name(choice), "labels": _labels(choice)}


def _labels(choice: Choice) -> dict[str, str]:
    return {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": resource_name(choice)}
