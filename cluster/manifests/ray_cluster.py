"""A RayCluster of KubeRay: an on-demand head, and GPU workers that come and go."""

import math
from typing import Any

from cluster.manifests.checks import require_sound_ray_objects
from cluster.manifests.hardware import PLATFORMS, find_accelerator
from cluster.manifests.settings import RAY_VERSION, KubernetesSettings
from cluster.manifests.template import read_config, to_text
from cluster.manifests.tenant import Tenant
from cluster.node_labels import ACCELERATOR, MARKET

CPUS_PER_GPU = 4  # the engine's processes on the host, and the load client
MEMORY_GIB_PER_GPU = 24
OUTPUT_FOLDER = "/output"
IMAGE_GROUP = 100  # of the user `ray` of Ray's images; a fresh volume belongs to root


def render_ray_cluster(settings: KubernetesSettings, tenant: Tenant | None) -> dict[str, str]:
    """Return a standing cluster, to which studies are submitted."""
    cluster = read_config("manifests/raycluster.yaml")
    cluster["metadata"]["name"] = settings.name
    cluster["spec"] = cluster_spec(settings, tenant)
    documents = [*output_claim(settings), cluster]
    require_sound_ray_objects(documents)
    service = f"service/{settings.name}-head-svc"
    folder = settings.output if settings.output != "pvc" else f"{OUTPUT_FOLDER}/NAME"
    notes = [
        *secret_notes(settings),
        f"kubectl port-forward {service} 8265; then scoot submit STUDY.yaml",
        f"  --address http://localhost:8265 --token-file TOKEN --output {folder}",
        f"Studies need  placement: {{autoscaler: {autoscaler_section(settings, tenant)}}}",
        "Rendered and checked offline for KubeRay 1.7; no cluster has run it.",
    ]
    return {f"{settings.name}-raycluster.yaml": to_text(notes, documents)}


def cluster_spec(settings: KubernetesSettings, tenant: Tenant | None) -> dict[str, Any]:
    """Return the specification of the cluster, for a RayCluster or within a RayJob."""
    platform = PLATFORMS[settings.platform]
    spec: dict[str, Any] = read_config("manifests/raycluster.yaml")["spec"]
    head, worker = spec["headGroupSpec"], spec["workerGroupSpecs"][0]
    head_pod, worker_pod = head["template"]["spec"], worker["template"]["spec"]
    accelerator, num_gpus = find_accelerator(settings.accelerator), settings.gpus_per_trial
    spec["authOptions"]["secretName"] = token_secret(settings)
    spec["autoscalerOptions"]["idleTimeoutSeconds"] = round(60 * settings.idle_timeout_min)
    for pod in (head_pod, worker_pod):
        _use_everywhere(pod, settings)
    head_pod |= platform.head_nodes()
    worker["maxReplicas"] = settings.max_gpus // num_gpus
    worker["rayStartParams"] |= platform.start_params(num_gpus)
    worker["labels"] = {MARKET: settings.market, ACCELERATOR: accelerator.name}
    worker_pod |= platform.worker_nodes(accelerator, spot=settings.spot)
    amounts = {"cpu": str(worker_cpus(settings, tenant)), "memory": _memory(settings, tenant)}
    amounts |= platform.gpu_limits(num_gpus)
    worker_pod["containers"][0]["resources"] = {"requests": amounts, "limits": amounts}
    return {"rayVersion": RAY_VERSION, **spec}


def worker_cpus(settings: KubernetesSettings, tenant: Tenant | None) -> int:
    """Return a worker's CPUs: enough for as many trials as it has GPUs."""
    wanted = 0.0 if tenant is None else tenant.study.placement.num_cpus
    return settings.gpus_per_trial * max(CPUS_PER_GPU, math.ceil(wanted))


def autoscaler_section(settings: KubernetesSettings, tenant: Tenant | None) -> dict[str, Any]:
    """Return what a study must say of the cluster: Ray does not tell of nodes not yet there."""
    return {
        "node_gpus": settings.gpus_per_trial,
        "max_nodes": settings.max_gpus // settings.gpus_per_trial,
        "node_cpus": worker_cpus(settings, tenant),
    }


def output_claim(settings: KubernetesSettings) -> list[dict[str, Any]]:
    """Return the claim of the output folder, if there is one."""
    if settings.output != "pvc":
        return []
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteMany"],  # trials write their logs from every node
        "resources": {"requests": {"storage": "50Gi"}},
    }
    if settings.storage_class is not None:
        spec["storageClassName"] = settings.storage_class
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return [{**claim, "metadata": {"name": f"{settings.name}-output"}, "spec": spec}]


def token_secret(settings: KubernetesSettings) -> str:
    """Return the name of the Secret that holds Ray's token."""
    return f"{settings.name}-token"


def secret_notes(settings: KubernetesSettings) -> list[str]:
    """Say which Secrets must exist."""
    command = "kubectl create secret generic"
    notes = [
        "Once: openssl rand -hex 32 | tr -d '\\n' > TOKEN",
        f"  {command} {token_secret(settings)} --from-file=auth_token=TOKEN",
    ]
    if settings.secret is not None:
        notes.append(f"  {command} {settings.secret} --from-literal=HF_TOKEN=...")
    return notes


def _memory(settings: KubernetesSettings, tenant: Tenant | None) -> str:
    wanted = 0.0 if tenant is None else tenant.study.placement.memory_gib
    return f"{settings.gpus_per_trial * max(MEMORY_GIB_PER_GPU, math.ceil(wanted))}Gi"


def _use_everywhere(pod: dict[str, Any], settings: KubernetesSettings) -> None:
    """Give a pod what head and workers have in common."""
    (container,) = pod["containers"]
    container["image"] = settings.image
    if settings.service_account is not None:
        pod["serviceAccountName"] = settings.service_account
    if settings.secret is not None:
        container["envFrom"] = [{"secretRef": {"name": settings.secret}}]
    if settings.output == "pvc":
        pod["securityContext"] = {"fsGroup": IMAGE_GROUP}
        mount = {"name": "output", "mountPath": OUTPUT_FOLDER}
        claim = {"claimName": f"{settings.name}-output"}
        container.setdefault("volumeMounts", []).append(mount)
        pod.setdefault("volumes", []).append({"name": "output", "persistentVolumeClaim": claim})
