"""Manifests of every kind, as they are rendered for the tests."""

from typing import Any

import yaml

from cluster.manifests import render
from cluster.manifests.tenant import Tenant
from scoot_ray.core.study import parse_study

IMAGE = {"image": "registry.example.com/scoot-ray:1"}
GCP = IMAGE | {"project": "my-project"}

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "aws": ("aws", IMAGE),
    "aws on demand": ("aws", IMAGE | {"spot": False, "accelerator": "H200", "max_gpus": 64}),
    "gcp": ("gcp", GCP),
    "gcp on demand": ("gcp", GCP | {"spot": False, "accelerator": "A100-80GB"}),
    "raycluster": ("raycluster", IMAGE),
    "raycluster on eks": ("raycluster", IMAGE | {"platform": "eks", "output": "s3://bucket/x"}),
    "rayjob": ("rayjob", IMAGE),
    "rayjob on karpenter": (
        "rayjob",
        IMAGE | {"platform": "karpenter", "secret": "hf", "service_account": "scoot"},
    ),
    "rayjob on demand": ("rayjob", IMAGE | {"spot": False, "storage_class": "efs"}),
    "rayjob without GPUs": ("rayjob", IMAGE | {"platform": "logical"}),
}


def tenant(**sections: Any) -> Tenant:
    """Return a study whose largest trial claims 4 GPUs, with some sections replaced."""
    data: dict[str, Any] = {
        "name": "Bot_7b",
        "engine": {"kind": "vllm", "model": "meta-llama/Llama-2-7b-hf"},
        "service": {"num_gpus": 4, "accelerator": "A100-80GB"},
        "workload": {"trace": "synthetic:bot", "request_rate_rps": 8},
        "search": {"parallelism": 3},
    }
    return Tenant(parse_study(data | sections), gpus_per_trial=4)


def documents(case: str, **sections: Any) -> list[dict[str, Any]]:
    """Render a case and read it back."""
    kind, settings = CASES[case]
    needs_study = kind == "rayjob"
    files = render(kind, settings, tenant(**sections) if needs_study else None)
    return [each for text in files.values() for each in yaml.safe_load_all(text)]


def one(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the only object of a kind."""
    (document,) = [each for each in found if each.get("kind") == kind]
    return document
