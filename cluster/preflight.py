"""What a cluster can hold, found out before the first trial instead of by waiting for ever."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ray

from cluster.node_labels import ACCELERATOR, MARKET, accelerator_selector, admits
from cluster.placement import Placement
from scoot_ray.core.errors import ClusterError
from scoot_ray.core.study import Study

UNLABELLED = "unlabelled"

Bundle = Mapping[str, float]
"""Amounts by the names that Ray has for resources: GPU, CPU, memory in bytes."""


@dataclass(frozen=True)
class Node:
    """Count what one node offers.

    Attributes:
        num_gpus: Its GPUs.
        num_cpus: Its CPUs.
        memory_bytes: Memory that Ray hands out.
        labels: Ray's node labels.
    """

    num_gpus: int
    num_cpus: float
    memory_bytes: float = float("inf")
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_ray(cls, node: Mapping[str, Any]) -> "Node":
        """Read one entry of `ray.nodes()`."""
        resources = node["Resources"]
        return cls(
            int(resources.get("GPU", 0)),
            resources.get("CPU", 0.0),
            resources.get("memory", 0.0),
            node.get("Labels") or {},
        )

    def num_bundles(self, bundle: Bundle) -> int:
        """Count how many of a bundle fit at once."""
        offers = {"GPU": self.num_gpus, "CPU": self.num_cpus, "memory": self.memory_bytes}
        return min(int(offers[name] // amount) for name, amount in bundle.items())

    def without(self, bundle: Bundle) -> "Node":
        """Return what is left when a bundle is taken."""
        return replace(
            self,
            num_gpus=self.num_gpus - int(bundle.get("GPU", 0)),
            num_cpus=self.num_cpus - bundle.get("CPU", 0.0),
            memory_bytes=self.memory_bytes - bundle.get("memory", 0.0),
        )


@dataclass(frozen=True)
class Capacity:
    """Hold the nodes that a study's trials may use.

    Attributes:
        nodes: Live nodes with GPUs and those that the autoscaler may add.
        placement: What a trial claims beside its GPUs.
        is_elastic: Nodes come and go with the demand.
    """

    nodes: tuple[Node, ...]
    placement: Placement
    is_elastic: bool = False

    @classmethod
    def for_study(
        cls, study: Study, nodes: Iterable[Node], *, has_logical_gpus: bool
    ) -> "Capacity":
        """Choose the nodes of a cluster that the study's trials may use.

        Raises:
            ClusterError: If nodes have GPUs, but none of the study's kind.
        """
        found = [node for node in nodes if node.num_gpus]
        placement = Placement.of(study)
        if not has_logical_gpus:
            labels = [node.labels for node in found]
            placement = placement.with_labels(
                accelerator_selector(study.service.accelerator, labels)
            )
        usable = [node for node in found if admits(placement.labels, node.labels)]
        autoscaler = study.placement.autoscaler
        if found and not usable and autoscaler is None:
            raise ClusterError(_no_such_node(study, placement, found))
        if autoscaler is not None:
            new = Node(autoscaler.node_gpus, autoscaler.node_cpus)
            usable += [new] * max(0, autoscaler.max_nodes - len(usable))
        if study.placement.exclusive:
            placement = placement.alone_on(node.num_cpus for node in usable)
        usable.sort(key=lambda node: -node.num_gpus)
        return cls(tuple(usable), placement, autoscaler is not None)

    @classmethod
    def of_cluster(cls, study: Study, *, has_logical_gpus: bool) -> "Capacity":
        """Read the cluster that Ray is connected to; see `for_study`."""
        return cls.for_study(study, _live_nodes(), has_logical_gpus=has_logical_gpus)

    @property
    def num_gpus(self) -> int:
        """Count the GPUs of all nodes."""
        return sum(node.num_gpus for node in self.nodes)

    @property
    def largest_node_gpus(self) -> int:
        """Count the GPUs of the largest node."""
        return max((node.num_gpus for node in self.nodes), default=0)

    @property
    def largest_trial_gpus(self) -> int:
        """Count the GPUs of the largest trial that can ever be placed."""
        sizes = range(
            1, (self.num_gpus if self.placement.spans_nodes else self.largest_node_gpus) + 1
        )
        return max((size for size in sizes if self.num_concurrent(size)), default=0)

    def bundles(self, num_gpus: int) -> list[dict[str, float]]:
        """Return the bundles of a trial of that many GPUs."""
        return self.placement.bundles(num_gpus, self.largest_node_gpus)

    def nodes_up(self) -> tuple[Node, ...]:
        """Return the nodes that trials may use and that are up now."""
        admitted = (node for node in _live_nodes() if admits(self.placement.labels, node.labels))
        return tuple(node for node in admitted if node.num_gpus)

    def num_concurrent(self, gpus_per_trial: int) -> int:
        """Count how many trials of that size run at once, each with its CPUs and memory."""
        if not self.nodes:
            return 0
        bundles = self.bundles(gpus_per_trial)
        fitting = sum(node.num_bundles(bundles[0]) for node in self.nodes)
        return fitting // len(bundles)

    def max_pending(self, parallelism: int) -> int:
        """Return how many trials may wait for their bundles at the same time.

        An autoscaler must see all of the demand. On nodes that are there anyway, trials start
        first come, first served: small bundles would overtake a large one for ever.
        """
        return parallelism if self.is_elastic else 1

    def require(self, num_gpus: int) -> None:
        """Check that a trial of that many GPUs can be placed.

        Raises:
            ClusterError: Saying what was asked, what is there and what to change.
        """
        if self.num_concurrent(num_gpus):
            return
        bundle = self.placement.bundles(num_gpus, max(1, self.largest_node_gpus))[0]
        most = f"{self.largest_node_gpus} GPU(s){self._largest_host()}"
        raise ClusterError(
            f"A trial of the default configuration claims {_write(bundle)} of one node, and of the "
            f"cluster's {len(self.nodes)} usable node(s) the largest has {most}: it would wait for "
            "ever. Connect to a larger cluster with --address, claim less in `placement:`, or, "
            "where an autoscaler adds nodes, say which in placement.autoscaler."
        )

    def describe(self, sizes: Sequence[int], parallelism: int) -> str:
        """Say what there is, how many trials of each size run at once, and what cannot be.

        Args:
            sizes: GPUs of the trials that the search space can ask for.
            parallelism: Trials at once that were asked for.
        """
        at_once = [f"{self.num_concurrent(size)} of {size} GPU(s)" for size in sizes]
        text = f"{self._kinds()}; trials at once: {', '.join(at_once)}; parallelism {parallelism}"
        most = max((self.num_concurrent(size) for size in sizes), default=0)
        if parallelism > most:
            text += f", of which at most {most} can run at once: write search.parallelism: {most}"
        return text

    def _kinds(self) -> str:
        kinds: dict[tuple[int, str], int] = {}
        for node in self.nodes:
            kind = (node.num_gpus, node.labels.get(MARKET, ""))
            kinds[kind] = kinds.get(kind, 0) + 1
        parts = [
            f"{n} x {gpus} GPU(s){f' {market}' * bool(market)}"
            for (gpus, market), n in kinds.items()
        ]
        reach = "at most " if self.is_elastic else ""
        return f"{reach}{' + '.join(parts) or 'no node with a GPU'}"

    def _largest_host(self) -> str:
        if not self.nodes:
            return ""
        return f" and {max(node.num_cpus for node in self.nodes):g} CPU(s)"


def _live_nodes() -> list[Node]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [Node.of_ray(node) for node in nodes if node["Alive"]]


def _write(bundle: Bundle) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in bundle.items())


def _no_such_node(study: Study, placement: Placement, nodes: Sequence[Node]) -> str:
    seen = sorted({node.labels.get(ACCELERATOR, UNLABELLED) for node in nodes})
    markets = sorted({node.labels.get(MARKET, UNLABELLED) for node in nodes})
    return (
        f"No node is labelled as the study wants ({dict(placement.labels)}, for "
        f"service.accelerator: {study.service.accelerator}); the cluster's nodes with GPUs have "
        f"{ACCELERATOR} {', '.join(seen)} and {MARKET} {', '.join(markets)}. Change "
        "service.accelerator or placement.labels, or connect to another cluster with --address."
    )
