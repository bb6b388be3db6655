"""A RayJob of KubeRay that runs one study: the study in a ConfigMap, its windows as CronJobs."""

import base64
import shlex
import tempfile
from pathlib import Path
from typing import Any

import yaml

from cluster.jobs import STOP_WAIT_S
from cluster.manifests.checks import require_sound_ray_objects
from cluster.manifests.ray_cluster import (
    OUTPUT_FOLDER,
    autoscaler_section,
    cluster_spec,
    output_claim,
    secret_notes,
)
from cluster.manifests.settings import KubernetesSettings
from cluster.manifests.template import read_config, to_text
from cluster.manifests.tenant import Tenant
from cluster.parcel import STUDY, pack_study
from cluster.timers import Start, render_kubernetes
from scoot_ray.core.errors import ClusterError, StudyError
from scoot_ray.core.sections import AutoscalerSection
from scoot_ray.core.study import Study

STUDY_FOLDER = "/study"
MAX_CONFIG_MAP_BYTES = 900_000
"""Kubernetes allows 1 MiB, with keys, encoding and what `kubectl apply` notes down."""


def render_ray_job(settings: KubernetesSettings, tenant: Tenant | None) -> dict[str, str]:
    """Return the job with all it needs; with a schedule, it is suspended until a window opens."""
    assert tenant is not None
    if settings.name != tenant.name and tenant.study.schedule is not None:
        raise ClusterError(
            f"--set name={settings.name}: the timers of this study's schedule start a job named "
            f"{tenant.name}; leave the name out."
        )
    study = _placed(tenant.study, autoscaler_section(settings, tenant))
    contents, paths = _packed(study)
    job = _job(settings, tenant, paths)
    documents = [*output_claim(settings), _config_map(settings, contents), job]
    require_sound_ray_objects(documents)
    notes = [
        *secret_notes(settings),
        f"Then: kubectl apply -f {settings.name}-rayjob.yaml",
        "Rendered and checked offline for KubeRay 1.7; no cluster has run it.",
    ]
    files = {f"{settings.name}-rayjob.yaml": to_text(notes, documents)}
    if study.schedule is not None:
        timers = render_kubernetes(Start(study.name, study.schedule, ()))
        files[f"{settings.name}-timers.yaml"] = timers
    return files


def _job(settings: KubernetesSettings, tenant: Tenant, paths: dict[str, str]) -> dict[str, Any]:
    study = tenant.study
    output = OUTPUT_FOLDER if settings.output == "pvc" else settings.output
    command = ["python", "-m", "scoot_ray", "tune", f"{STUDY_FOLDER}/{STUDY}"]
    command += ["--address", "auto", "--begin-or-resume", "--output", f"{output}/{study.name}"]
    if study.schedule is not None:
        command.append("--wait")
    cluster = cluster_spec(settings, tenant)
    items = [{"key": key, "path": path} for key, path in paths.items()]
    volume = {"name": "study", "configMap": {"name": f"{settings.name}-study", "items": items}}
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        pod.setdefault("volumes", []).append(volume)
        mounts = container.setdefault("volumeMounts", [])
        mounts.append({"name": "study", "mountPath": STUDY_FOLDER})
    variables = {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_WAIT_S), "PYTHONUNBUFFERED": "1"}
    job = read_config("manifests/rayjob.yaml")
    job["metadata"]["name"] = settings.name
    job["spec"] = {
        "entrypoint": shlex.join(command),
        "runtimeEnvYAML": yaml.safe_dump({"env_vars": variables}),
        "metadata": {"study": study.name, "observations": str(study.search.observations)},
        "suspend": study.schedule is not None,
        **job["spec"],
        "rayClusterSpec": cluster,
    }
    return job


def _placed(study: Study, autoscaler: dict[str, Any]) -> Study:
    """Return the study as it runs there: it knows the nodes that may be added."""
    if study.placement.autoscaler is not None:
        return study
    section = AutoscalerSection.model_validate(autoscaler)
    placement = study.placement.model_copy(update={"autoscaler": section})
    return study.model_copy(update={"placement": placement})


def _packed(study: Study) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the study and its files by a ConfigMap's keys, and the path of each key."""
    with tempfile.TemporaryDirectory(prefix="scoot-study-") as name:
        folder = Path(name)
        pack_study(study, folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        # A key of a ConfigMap may not have every character that a file's name may.
        keys = [STUDY if path == folder / STUDY else f"file-{n}" for n, path in enumerate(files)]
        contents = {key: path.read_bytes() for key, path in zip(keys, files, strict=True)}
        names = [path.relative_to(folder).as_posix() for path in files]
        paths = dict(zip(keys, names, strict=True))
    size = sum(map(len, contents.values()))
    if size > MAX_CONFIG_MAP_BYTES:
        raise StudyError(
            f"The study and its files are {size / 1e6:.1f} MB; a ConfigMap holds "
            f"{MAX_CONFIG_MAP_BYTES / 1e6:.1f}. Put the trace into a bucket and name it by "
            "s3:// or gs://."
        )
    return contents, paths


def _config_map(settings: KubernetesSettings, contents: dict[str, bytes]) -> dict[str, Any]:
    data, binary = {}, {}
    for key, content in contents.items():
        try:
            data[key] = content.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(content).decode()
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{settings.name}-study"},
        "data": data,
    }
    return document | ({"binaryData": binary} if binary else {})
