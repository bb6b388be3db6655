"""What a cluster can hold, found out before the first trial instead of by waiting for ever."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ray

from scoot_ray.core.errors import ClusterError


@dataclass(frozen=True)
class Capacity:
    """Count what the live nodes offer.

    Attributes:
        gpus_by_node: GPUs of each node that has any, largest first.
        num_cpus: CPUs of all nodes together.
    """

    gpus_by_node: tuple[int, ...]
    num_cpus: int

    @classmethod
    def from_nodes(cls, nodes: Iterable[Mapping[str, Any]]) -> "Capacity":
        """Read the list that `ray.nodes()` returns."""
        resources = [node["Resources"] for node in nodes if node["Alive"]]
        gpus = sorted((int(r.get("GPU", 0)) for r in resources), reverse=True)
        return cls(tuple(g for g in gpus if g), int(sum(r.get("CPU", 0) for r in resources)))

    @classmethod
    def of_cluster(cls) -> "Capacity":
        """Read the cluster that Ray is connected to."""
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        return cls.from_nodes(nodes)

    @property
    def num_gpus(self) -> int:
        """Count the GPUs of all nodes."""
        return sum(self.gpus_by_node)

    @property
    def largest_node_gpus(self) -> int:
        """Count the GPUs of the largest node, the most that one bundle can have."""
        return max(self.gpus_by_node, default=0)

    def num_concurrent(self, gpus_per_trial: int) -> int:
        """Count how many trials of that size run at once, each with one CPU for its client."""
        fitting = sum(gpus // gpus_per_trial for gpus in self.gpus_by_node)
        return min(fitting, self.num_cpus)

    def require(self, num_gpus: int, largest_bundle_gpus: int) -> None:
        """Check that the service and its largest bundle fit.

        Raises:
            ClusterError: Saying what was asked, what is there and what to change.
        """
        if self.num_gpus < num_gpus:
            raise ClusterError(
                f"The study asks for service.num_gpus: {num_gpus}; the cluster has "
                f"{self.num_gpus} GPU(s). Connect to a larger cluster with --address, or lower "
                "service.num_gpus."
            )
        if self.largest_node_gpus < largest_bundle_gpus:
            raise ClusterError(
                f"tensor_parallel_size goes up to {largest_bundle_gpus}; the largest node has "
                f"{self.largest_node_gpus} GPU(s), so such a trial would wait for ever. Set "
                f"space.parameters.tensor_parallel_size.high to {self.largest_node_gpus}."
            )
