"""From a configuration to the bundle of resources that its trial claims."""

from typing import Any

from ray import tune

from scoot_ray.core.space import Config

TENSOR_PARALLEL_SIZE = "tensor_parallel_size"


def num_gpus_of(config: Config) -> int:
    """Return the GPUs that one replica under `config` needs; 1 where the degree is not tuned."""
    return int(config.get(TENSOR_PARALLEL_SIZE, 1))


def placement_group_factory(config: Config) -> "tune.PlacementGroupFactory":
    """Return one bundle with all of a replica's GPUs and a CPU for the load client.

    A single STRICT_PACK bundle keeps the replica on one node, where its ranks share the fast
    interconnect.
    """
    bundle: dict[str, Any] = {"CPU": 1, "GPU": num_gpus_of(config)}
    return tune.PlacementGroupFactory([bundle], strategy="STRICT_PACK")
