"""The pod that serves a configuration, shared by the forms for Kubernetes."""

import hashlib
import math
import re
from typing import Any

from scoot_ray.export.choice import Choice
from scoot_ray.export.platform import Platform, image_tag, platform_of

PORT = 8000
PROBE_PERIOD_S = 10
MAX_NAME_LENGTH = 40  # a label has 63 characters, and controllers append some of their own
SHARED_MEMORY_GIB_EACH = 2  # what vLLM's guide to Kubernetes gives


def pod_spec(choice: Choice, container_name: str) -> dict[str, Any]:
    """Return the pod's specification, with one container."""
    return {
        # A Service called vllm would set VLLM_PORT, which the server takes for its own option.
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "containers": [container(choice, container_name)],
        "volumes": [shared_memory(choice), *model_volumes(choice)],
    }


def container(choice: Choice, name: str) -> dict[str, Any]:
    """Return the container of the engine."""
    platform = platform_of_choice(choice)
    options = choice.options
    address = ["--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104 - a pod's own address
    return {
        "name": name,
        "image": f"{platform.repository}:{image_tag(choice.engine_version)}",
        "command": ["vllm", "serve"],
        "args": [options.model, *options.flags, *address],
        "env": environment(choice),
        "ports": [{"name": "http", "containerPort": PORT}],
        **probes(choice),
        "resources": platform.resources(choice.num_gpus_each),
        "securityContext": security_context(),
        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}, *model_mounts(choice)],  # noqa: S108
    }


def probes(choice: Choice) -> dict[str, Any]:
    """Return the three probes; the start-up one gives the time that the study gave."""
    check = {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": PROBE_PERIOD_S}
    num_starts = math.ceil(choice.study.engine.startup_timeout_s / PROBE_PERIOD_S)
    # Under full load an answer may take seconds, and a restart would make that worse.
    running = {**check, "timeoutSeconds": 5, "failureThreshold": 3}
    return {
        "startupProbe": {**check, "failureThreshold": num_starts},
        "readinessProbe": running,
        "livenessProbe": {**running, "failureThreshold": 6},
    }


def environment(choice: Choice) -> list[dict[str, Any]]:
    """Return the container's variables; secrets by reference only."""
    options = choice.options
    plain = [{"name": name, "value": value} for name, value in options.env.items()]
    secret = [_secret(choice, name) for name in options.secrets]
    if options.is_hub_model and "HF_TOKEN" not in options.secrets:
        secret.append(_secret(choice, "HF_TOKEN", is_optional=True))
    return [*plain, *secret]


def secret_notes(choice: Choice) -> list[str]:
    """Return what must exist in the cluster before the pod can start."""
    notes = []
    names = [entry["name"] for entry in environment(choice) if "valueFrom" in entry]
    if names:
        literals = " ".join(f"--from-literal={name}=..." for name in names)
        what = "Needs" if choice.options.secrets else "For a gated model"
        notes.append(f"{what}: kubectl create secret generic {secret_name(choice)} {literals}")
    if choice.options.model_folder is not None:
        notes.append(
            f"Needs: a PersistentVolumeClaim {resource_name(choice)}-model that holds the content "
            f"of {choice.options.model_folder}"
        )
    accelerator = choice.study.service.accelerator
    notes.append(f"Measured for {accelerator}: choose such nodes where the cluster has others too")
    return notes


def security_context() -> dict[str, Any]:
    """Return what the container may do. The images run as root, so the user is not set."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def annotations(choice: Choice) -> dict[str, str]:
    """Return the evidence as annotations, which stay with what is deployed."""
    return {
        "scoot-ray/study": choice.study.name,
        "scoot-ray/trial": str(choice.record.number),
        "scoot-ray/model": choice.options.model,
        "scoot-ray/engine": f"vLLM {choice.engine_version}"
        if choice.engine_version
        else "none: simulated",
        "scoot-ray/measured-by": choice.result.measured_by,
        "scoot-ray/simulated": str(choice.is_simulated).lower(),
        "scoot-ray/evidence": "; ".join(choice.comparison()),
        "scoot-ray/journal-sha256": choice.journal_sha256,
    }


def resource_name(choice: Choice) -> str:
    """Return the study's name as Kubernetes wants names: a DNS label that begins with a letter."""
    name = choice.study.name
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    label = label if label[:1].isalpha() else f"study-{label}"
    if len(label) > MAX_NAME_LENGTH:  # studies whose long names begin alike stay apart
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        label = f"{label[: MAX_NAME_LENGTH - 9].rstrip('-')}-{digest}"
    return label


def secret_name(choice: Choice) -> str:
    """Return the name of the Secret that the variables refer to."""
    return f"{resource_name(choice)}-secrets"


def platform_of_choice(choice: Choice) -> Platform:
    """Return the platform of the study's accelerator."""
    return platform_of(choice.study.service.accelerator)


def shared_memory_size(choice: Choice) -> str:
    """Return the size of /dev/shm, through which the workers of one replica talk."""
    return f"{SHARED_MEMORY_GIB_EACH * choice.num_gpus_each}Gi"


def shared_memory(choice: Choice) -> dict[str, Any]:
    """Return the volume of /dev/shm."""
    size = shared_memory_size(choice)
    return {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}}


def model_volumes(choice: Choice) -> list[dict[str, Any]]:
    """Return the volume of a model that lies in a folder."""
    if choice.options.model_folder is None:
        return []
    claim = {"claimName": f"{resource_name(choice)}-model", "readOnly": True}
    return [{"name": "model", "persistentVolumeClaim": claim}]


def model_mounts(choice: Choice) -> list[dict[str, Any]]:
    """Return where a model that lies in a folder is seen: at the path that was measured."""
    folder = choice.options.model_folder
    return [] if folder is None else [{"name": "model", "mountPath": folder, "readOnly": True}]


def _secret(choice: Choice, name: str, *, is_optional: bool = False) -> dict[str, Any]:
    reference: dict[str, Any] = {"name": secret_name(choice), "key": name}
    if is_optional:
        reference["optional"] = True
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}
