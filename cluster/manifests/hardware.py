"""Accelerators: the machines that have them, and how Kubernetes' platforms label their nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cluster.manifests.template import read_config
from cluster.node_labels import is_same_accelerator
from scoot_ray.core.errors import ClusterError

GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class Machine:
    """Name a machine type, with its GPUs and CPUs."""

    name: str
    num_gpus: int
    num_cpus: int


@dataclass(frozen=True)
class Accelerator:
    """Hold what differs between accelerators.

    Attributes:
        name: Ray's accelerator type, such as "A100-80G".
        machines: By cloud, smallest first.
        labels: The value of each platform's accelerator label.
    """

    name: str
    machines: Mapping[str, tuple[Machine, ...]]
    labels: Mapping[str, str]

    def machine(self, cloud: str, num_gpus: int) -> Machine:
        """Return a cloud's smallest machine with so many GPUs.

        Raises:
            ClusterError: If there is none.
        """
        offered = self.machines.get(cloud, ())
        for machine in offered:
            if machine.num_gpus >= num_gpus:
                return machine
        sizes = ", ".join(str(machine.num_gpus) for machine in offered) or "none"
        raise ClusterError(
            f"accelerator={self.name}: no machine of {cloud} has {num_gpus} of them; sizes that we "
            f"know: {sizes}. A trial needs all its GPUs on one node."
        )


@dataclass(frozen=True)
class Platform:
    """Say how pods of a Kubernetes platform find their nodes.

    Attributes:
        name: Such as "gke".
        spot: Label and value of spot nodes, which are also the taint that keeps others off; none
            where nodes are not told apart.
        accelerator: The label that names the accelerator; none where GPUs are only counted.
    """

    name: str
    spot: tuple[str, str] | None = None
    accelerator: str | None = None

    def gpu_limits(self, num_gpus: int) -> dict[str, str]:
        """Return what a worker's container claims of its node."""
        return {} if self.accelerator is None else {GPU: str(num_gpus)}

    def start_params(self, num_gpus: int) -> dict[str, str]:
        """Return what `ray start` must be told; real GPUs are read off the limits."""
        return {"num-gpus": str(num_gpus)} if self.accelerator is None else {}

    def worker_nodes(self, accelerator: Accelerator, *, spot: bool) -> dict[str, Any]:
        """Return the part of a pod that leads it to GPU nodes of one kind.

        Raises:
            ClusterError: If the platform has no such nodes.
        """
        if self.accelerator is None:
            return {}
        if self.name not in accelerator.labels:
            raise ClusterError(f"accelerator={accelerator.name}: not known on {self.name}.")
        selector = {self.accelerator: accelerator.labels[self.name]}
        tolerations = [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}]
        if spot and self.spot is not None:
            key, value = self.spot
            selector[key] = value
            equal = {"key": key, "operator": "Equal", "value": value}
            tolerations.append({**equal, "effect": "NoSchedule"})
        return {"nodeSelector": selector, "tolerations": tolerations}

    def head_nodes(self) -> dict[str, Any]:
        """Return the part of a pod that keeps it off spot nodes."""
        if self.spot is None:
            return {}
        key, value = self.spot
        term = {"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]}
        required = {"nodeSelectorTerms": [term]}
        return {
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
            }
        }


def find_accelerator(name: str) -> Accelerator:
    """Return the accelerator of that name, as Ray or a study writes it ("A100-80GB").

    Raises:
        ClusterError: If it is not one that we know.
    """
    for known, accelerator in ACCELERATORS.items():
        if is_same_accelerator(known, name):
            return accelerator
    raise ClusterError(f"accelerator={name}: expected one of {', '.join(ACCELERATORS)}.")


def _read_accelerators() -> dict[str, Accelerator]:
    found = {}
    for name, entry in read_config("accelerators.yaml").items():
        labels = entry.pop("labels")
        machines = {
            cloud: tuple(Machine(machine, *size) for machine, size in sizes.items())
            for cloud, sizes in entry.items()
        }
        found[name] = Accelerator(name, machines, labels)
    return found


def _read_platforms() -> dict[str, Platform]:
    found = {}
    for name, entry in read_config("platforms.yaml").items():
        spot = entry and tuple(entry["spot"])
        found[name] = Platform(name, spot, entry and entry["accelerator"])
    return found


ACCELERATORS: Mapping[str, Accelerator] = _read_accelerators()
PLATFORMS: Mapping[str, Platform] = _read_platforms()
