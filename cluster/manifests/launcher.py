"""Files for Ray's own cluster launcher, `ray up`."""

from typing import Any

from cluster.manifests.checks import require_sound_launcher
from cluster.manifests.hardware import Machine, find_accelerator
from cluster.manifests.settings import AwsSettings, ClusterSettings, GcpSettings
from cluster.manifests.template import read_config, to_text
from cluster.node_labels import ACCELERATOR, MARKET


def render_aws(settings: AwsSettings) -> dict[str, str]:
    """Return a launcher file for Amazon EC2."""
    machine = find_accelerator(settings.accelerator).machine("aws", settings.gpus_per_trial)
    config = _launcher("aws", settings, machine)
    config["provider"]["region"] = settings.region
    node = config["available_node_types"]["gpu-worker"]["node_config"]
    node["InstanceType"] = machine.name
    if settings.spot:
        node["InstanceMarketOptions"] = {"MarketType": "spot"}
    return _files("aws", settings, machine, config)


def render_gcp(settings: GcpSettings) -> dict[str, str]:
    """Return a launcher file for Google Compute Engine."""
    machine = find_accelerator(settings.accelerator).machine("gcp", settings.gpus_per_trial)
    config = _launcher("gcp", settings, machine)
    config["provider"] |= {
        "region": settings.zone.rpartition("-")[0],
        "availability_zone": settings.zone,
        "project_id": settings.project,
    }
    node = config["available_node_types"]["gpu-worker"]["node_config"]
    node["machineType"] = machine.name
    node["disks"][0]["initializeParams"]["sourceImage"] = settings.source_image
    if settings.spot:
        node["scheduling"] |= {"provisioningModel": "SPOT", "instanceTerminationAction": "DELETE"}
    return _files("gcp", settings, machine, config)


def _launcher(cloud: str, settings: ClusterSettings, machine: Machine) -> dict[str, Any]:
    template = read_config(f"manifests/{cloud}.yaml")
    max_workers = _max_workers(settings, machine)
    template["docker"]["image"] = settings.image
    template["available_node_types"]["gpu-worker"] |= {
        "max_workers": max_workers,
        "resources": {"CPU": machine.num_cpus, "GPU": machine.num_gpus},
        "labels": {
            MARKET: settings.market,
            ACCELERATOR: find_accelerator(settings.accelerator).name,
        },
    }
    own = {
        "cluster_name": settings.name,
        "max_workers": max_workers,
        "idle_timeout_minutes": settings.idle_timeout_min,
    }
    return own | template


def _max_workers(settings: ClusterSettings, machine: Machine) -> int:
    """Count the nodes that may be had: as many as fit into `max_gpus`, but at least one."""
    return max(1, settings.max_gpus // machine.num_gpus)


def _files(
    cloud: str, settings: ClusterSettings, machine: Machine, config: dict[str, Any]
) -> dict[str, str]:
    require_sound_launcher(config)
    name = f"{settings.name}-{cloud}.yaml"
    autoscaler = (
        f"{{node_gpus: {machine.num_gpus}, max_nodes: {_max_workers(settings, machine)}, "
        f"node_cpus: {machine.num_cpus}}}"
    )
    notes = [
        "Once: export RAY_AUTH_MODE=token; ray get-auth-token --generate",
        f"ray up {name}; ray dashboard {name} (leave it running); then",
        "scoot submit STUDY.yaml --address http://localhost:8265 --token-file ~/.ray/auth_token",
        "  --output s3://BUCKET/FOLDER (or gs://; what the head keeps goes with it)",
        f"Studies need  placement: {{autoscaler: {autoscaler}}}",
        "Rendered and checked offline; no cloud has run it.",
    ]
    return {name: to_text(notes, [config])}
