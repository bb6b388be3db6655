"""What of a manifest can be set; everything else is the same for everybody."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from cluster.manifests.tenant import Tenant
from scoot_ray.core.errors import ClusterError, did_you_mean
from scoot_ray.core.object_store import is_remote
from scoot_ray.core.schedule import STRICT

RAY_VERSION = "2.60.0"
VLLM_VERSION = "0.32.0"


class Settings(BaseModel):
    """Base of all: a misspelt name is an error."""

    model_config = STRICT


class DockerfileSettings(Settings):
    """What the image is made of."""

    base: str = f"rayproject/ray:{RAY_VERSION}-py312-gpu"
    vllm: str = VLLM_VERSION


class ClusterSettings(Settings):
    """What every cluster has: an on-demand head, and GPU workers that come and go."""

    image: str = Field(min_length=1)
    name: str = Field(default="scoot", pattern=r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$")
    accelerator: str = "L4"
    gpus_per_trial: int = Field(default=1, ge=1)  # of the largest trial; one node must hold it
    max_gpus: int = Field(default=8, ge=1)
    spot: bool = True
    idle_timeout_min: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _has_room_for_a_trial(self) -> Self:
        if self.max_gpus < self.gpus_per_trial:
            raise ValueError(
                f"max_gpus={self.max_gpus} holds no trial of {self.gpus_per_trial} GPUs"
            )
        return self

    @property
    def market(self) -> str:
        """The market as Ray's labels name it."""
        return "spot" if self.spot else "on-demand"


class AwsSettings(ClusterSettings):
    """A cluster on Amazon EC2."""

    region: str = Field(default="us-west-2", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")


class GcpSettings(ClusterSettings):
    """A cluster on Google Compute Engine."""

    project: str = Field(pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$")
    zone: str = Field(default="us-central1-a", pattern=r"^[a-z]+-[a-z]+\d+-[a-z]$")
    source_image: str = (
        "projects/deeplearning-platform-release/global/images/family/"
        "common-cu128-ubuntu-2204-nvidia-570"
    )


class KubernetesSettings(ClusterSettings):
    """A cluster under KubeRay.

    `output` is "pvc", a claim that all pods mount, or a bucket. `secret` names a Secret whose keys
    become variables of all pods, such as HF_TOKEN.
    """

    platform: Literal["gke", "eks", "karpenter", "logical"] = "gke"
    output: str = "pvc"
    storage_class: str | None = None  # of the claim; it must allow ReadWriteMany
    service_account: str | None = None  # that may read and write the bucket
    secret: str | None = None

    @model_validator(mode="after")
    def _output_outlives_the_cluster(self) -> Self:
        if self.output != "pvc" and not is_remote(self.output):
            raise ValueError(f"output={self.output}: expected pvc, s3://... or gs://...")
        return self


def read_settings(model: type[Settings], given: Mapping[str, Any], tenant: Tenant | None) -> Any:
    """Return settings with a study's own sizes and name as defaults.

    Raises:
        ClusterError: Naming each wrong setting and what to write instead.
    """
    values = {**_defaults_for(model, tenant), **given}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_explain(dict(item), model) for item in error.errors(include_url=False)]
        raise ClusterError("\n".join(lines)) from None


def _defaults_for(model: type[Settings], tenant: Tenant | None) -> dict[str, Any]:
    if tenant is None or not issubclass(model, ClusterSettings):
        return {}
    size = tenant.gpus_per_trial
    return {
        "name": tenant.name,
        "accelerator": tenant.study.service.accelerator,
        "gpus_per_trial": size,
        "max_gpus": size * tenant.study.search.parallelism,
    }


def _explain(error: Mapping[str, Any], model: type[Settings]) -> str:
    name = ".".join(map(str, error["loc"]))
    match error["type"]:
        case "missing":
            return f"--set {name}=...: is missing; this kind has no default for it."
        case "extra_forbidden":
            known = list(model.model_fields)
            hint = did_you_mean(name, known)
            return f"--set {name}: is not a setting here.{hint} They are: {', '.join(known)}."
        case "value_error":
            return f"--set: {error['ctx']['error']}."
        case _:
            return f"--set {name}: {error['msg']}; got {error['input']!r}."
