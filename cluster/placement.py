"""The resources that a trial claims of a cluster."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ray import tune

from scoot_ray.core.study import Study

GIB = 2**30


@dataclass(frozen=True)
class Placement:
    """Say what every trial of a study claims beside its GPUs, and of which nodes.

    Attributes:
        num_cpus: CPUs for the load client and the engine's work on the host.
        memory_bytes: Memory that Ray sets aside; none is counted if it is 0.
        labels: Ray's node labels and what they must be, such as {"ray.io/market-type": "spot"};
            also "!spot" and "in(A100,H100)", as Ray writes them.
        spans_nodes: The engine runs on Ray itself, so one replica may have GPUs of several nodes.
    """

    num_cpus: float = 1.0
    memory_bytes: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    spans_nodes: bool = False

    @classmethod
    def of(cls, study: Study) -> "Placement":
        """Read a study's `placement` section."""
        section = study.placement
        on_ray = study.engine.fixed.get("distributed_executor_backend") == "ray"
        memory_bytes = int(section.memory_gib * GIB)
        return cls(section.num_cpus, memory_bytes, dict(section.labels), on_ray)

    def with_labels(self, labels: Mapping[str, str]) -> "Placement":
        """Return the same, on nodes that carry `labels` as well."""
        return replace(self, labels={**labels, **self.labels})

    def alone_on(self, node_cpus: Iterable[float]) -> "Placement":
        """Return the same, claiming more than half of any node: two trials cannot share one.

        Args:
            node_cpus: CPUs of the nodes that may be used.
        """
        half = max(node_cpus, default=0.0) // 2
        return replace(self, num_cpus=max(self.num_cpus, half + 1))

    def bundles(self, num_gpus: int, node_gpus: int) -> list[dict[str, float]]:
        """Return the bundles of a trial.

        Args:
            num_gpus: GPUs that the trial claims.
            node_gpus: GPUs of the largest node; it matters only where replicas span nodes.
        """
        num_bundles = math.ceil(num_gpus / node_gpus) if self.spans_nodes else 1
        sizes = [num_gpus // num_bundles + (n < num_gpus % num_bundles) for n in range(num_bundles)]
        first = {"CPU": self.num_cpus, "GPU": float(sizes[0])}
        if self.memory_bytes:
            first["memory"] = float(self.memory_bytes)
        return [first, *({"GPU": float(size)} for size in sizes[1:])]

    def factory(self, num_gpus: int, node_gpus: int) -> "tune.PlacementGroupFactory":
        """Return the trial's placement group: one node, unless it is too small and need not be.

        On one node the ranks of a replica share the fast interconnect.
        """
        bundles = self.bundles(num_gpus, node_gpus)
        strategy = "STRICT_PACK" if len(bundles) == 1 else "PACK"
        if not self.labels:
            return tune.PlacementGroupFactory(bundles, strategy=strategy)
        selectors = [dict(self.labels) for _ in bundles]
        return tune.PlacementGroupFactory(
            bundles, strategy=strategy, bundle_label_selector=selectors
        )
