"""Values for the Helm chart of vLLM's production stack, as of its version 0.1.12.

Source: `helm/values.schema.json` and `helm/templates/deployment-vllm-multi.yaml` of
github.com/vllm-project/production-stack.
"""

from typing import Any

from scoot_ray.export.choice import Choice
from scoot_ray.export.plain_yaml import to_yaml
from scoot_ray.export.platform import image_tag
from scoot_ray.export.pod import (
    annotations,
    environment,
    model_mounts,
    model_volumes,
    platform_of_choice,
    probes,
    resource_name,
    secret_notes,
    security_context,
    shared_memory_size,
)
from trainables.engines.vllm import flag

# The chart itself needs these by its own names; all others go through `extraArgs`, as vLLM reads
# them. As numbers of the chart, those above a million would arrive as 1.048576e+06.
CHART_PARAMETERS = ("tensor_parallel_size", "enable_prefix_caching")


def to_helm(choice: Choice) -> str:
    """Return the values, for `helm install NAME vllm/vllm-stack -f FILE`."""
    values = {
        "servingEngineSpec": {
            "runtimeClassName": platform_of_choice(choice).runtime_class,
            "containerSecurityContext": security_context(),
            "startupProbe": probes(choice)["startupProbe"],
            "modelSpec": [_model_spec(choice)],
        }
    }
    return to_yaml([*choice.evidence(), *secret_notes(choice)], values)


def _model_spec(choice: Choice) -> dict[str, Any]:
    platform = platform_of_choice(choice)
    spec = {
        "name": resource_name(choice),
        "annotations": annotations(choice),
        "repository": platform.repository,
        "tag": image_tag(choice.engine_version),
        "modelURL": choice.options.model,
        "replicaCount": choice.num_replicas,
        "resources": platform.resources(choice.num_gpus_each),
        "shmSize": shared_memory_size(choice),
        "env": environment(choice),
        "vllmConfig": _vllm_config(choice),
    }
    if choice.options.model_folder is not None:
        spec["extraVolumes"] = model_volumes(choice)
        spec["extraVolumeMounts"] = model_mounts(choice)
    return spec


def _vllm_config(choice: Choice) -> dict[str, Any]:
    parameters = choice.options.parameters
    others = {k: v for k, v in parameters.items() if k not in CHART_PARAMETERS}
    return {
        # Without it the chart mounts no shared memory.
        "tensorParallelSize": choice.num_gpus_each,
        # Without it the chart turns prefix caching off, which vLLM has on.
        "enablePrefixCaching": parameters.get("enable_prefix_caching", True),
        "extraArgs": [word for name, value in others.items() for word in flag(name, value)],
    }
