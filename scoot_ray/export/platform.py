"""What an accelerator is called outside of a study: in images, in Kubernetes, in Ray."""

from dataclasses import dataclass

# The version that SCOOT-Ray is tested with; of simulated studies, which measured none.
TESTED_VLLM = "0.32.0"


@dataclass(frozen=True)
class Platform:
    """Describe a family of accelerators.

    Attributes:
        repository: Image with vLLM's server for it.
        resource: Kubernetes' name of one device; None where there is none to claim.
        runtime_class: Of the production-stack chart's pods; empty for the cluster's default.
    """

    repository: str
    resource: str | None
    runtime_class: str = ""

    def resources(self, num_devices: int) -> dict[str, dict[str, str]]:
        """Return a container's resources with so many devices."""
        # vLLM's guide to CPU resources: the API server, the engine core, and one per worker.
        requests = {"cpu": str(2 + num_devices)}
        if self.resource is None:
            return {"requests": requests}
        devices = {self.resource: str(num_devices)}
        return {"requests": {**requests, **devices}, "limits": devices}


NVIDIA = Platform("vllm/vllm-openai", "nvidia.com/gpu", "nvidia")
AMD = Platform("vllm/vllm-openai-rocm", "amd.com/gpu")
CPU = Platform("vllm/vllm-openai-cpu", None)


def platform_of(accelerator: str) -> Platform:
    """Return the platform of a study's accelerator; NVIDIA's where the name is not known."""
    name = accelerator.upper()
    if name == "CPU":
        return CPU
    return AMD if name.startswith(("MI", "AMD")) else NVIDIA


def image_tag(version: str | None) -> str:
    """Return the tag of vLLM's images for a version; `+cpu` and the like are in the repository."""
    return f"v{(version or TESTED_VLLM).split('+')[0]}"
