"""The image of head and workers."""

from string import Template

from cluster.manifests.settings import RAY_VERSION, DockerfileSettings
from cluster.manifests.template import read_text


def render_dockerfile(settings: DockerfileSettings) -> dict[str, str]:
    """Return a Dockerfile; it is the same for every study."""
    fields = {"base": settings.base, "vllm": settings.vllm, "ray": RAY_VERSION}
    return {"Dockerfile": Template(read_text("manifests/Dockerfile")).substitute(fields)}
