"""An InferenceService of KServe with vLLM's own server as its container.

Fields as in KServe's API `serving.kserve.io/v1beta1`, whose predictor is a pod specification with
a few fields more.
"""

from scoot_ray.export.choice import Choice
from scoot_ray.export.plain_yaml import to_yaml
from scoot_ray.export.pod import annotations, pod_spec, resource_name, secret_notes


def to_kserve(choice: Choice) -> str:
    """Return the InferenceService."""
    modes = {
        # Knative would scale by requests, and admits shared memory only behind a feature flag.
        "serving.kserve.io/deploymentMode": "Standard",
        "serving.kserve.io/autoscalerClass": "none",
    }
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": resource_name(choice),
            "annotations": {**modes, **annotations(choice)},
        },
        "spec": {
            "predictor": {
                "minReplicas": choice.num_replicas,
                "maxReplicas": choice.num_replicas,
                "deploymentStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
                },
                # The name by which KServe knows the container that serves.
                **pod_spec(choice, container_name="kserve-container"),
            }
        },
    }
    return to_yaml([*choice.evidence(), *secret_notes(choice)], service)
