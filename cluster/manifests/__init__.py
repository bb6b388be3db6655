"""What a cluster is made of: launcher files for Ray, objects for KubeRay, an image.

Each kind is a function from its settings, and a study where it wants one, to files by name. The
constant parts are templates in `cluster/configs/manifests`, read as YAML objects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.manifests.dockerfile import render_dockerfile
from cluster.manifests.launcher import render_aws, render_gcp
from cluster.manifests.ray_cluster import render_ray_cluster
from cluster.manifests.ray_job import render_ray_job
from cluster.manifests.settings import (
    AwsSettings,
    DockerfileSettings,
    GcpSettings,
    KubernetesSettings,
    Settings,
    read_settings,
)
from cluster.manifests.tenant import Tenant
from scoot_ray.core.errors import ClusterError, did_you_mean

Files = dict[str, str]


@dataclass(frozen=True)
class Kind:
    """Describe one kind of manifest.

    Attributes:
        settings: What of it can be set.
        render: From settings and tenant to files by name.
        needs_study: It runs one study, which must be given.
    """

    settings: type[Settings]
    render: Callable[[Any, Tenant | None], Files]
    needs_study: bool = False


KINDS: Mapping[str, Kind] = {
    "aws": Kind(AwsSettings, lambda settings, _: render_aws(settings)),
    "gcp": Kind(GcpSettings, lambda settings, _: render_gcp(settings)),
    "raycluster": Kind(KubernetesSettings, render_ray_cluster),
    "rayjob": Kind(KubernetesSettings, render_ray_job, needs_study=True),
    "dockerfile": Kind(DockerfileSettings, lambda settings, _: render_dockerfile(settings)),
}


def render(kind: str, given: Mapping[str, Any], tenant: Tenant | None = None) -> Files:
    """Return the files of a kind, by name; they have passed the checks of `manifests.checks`.

    Args:
        kind: One of `KINDS`.
        given: Settings that are not to have their defaults.
        tenant: The study that will run there; sizes and names are then its own by default.

    Raises:
        ClusterError: If the kind, a setting or their combination is not one that exists.
        StudyError: If what the study names cannot be brought along.
    """
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        raise ClusterError(f"scoot cluster render {kind}: expected {', '.join(KINDS)}.{hint}")
    found = KINDS[kind]
    if found.needs_study and tenant is None:
        raise ClusterError(f"scoot cluster render {kind}: name the STUDY.yaml that it is to run.")
    return found.render(read_settings(found.settings, given, tenant), tenant)
