"""The bundle of resources that a trial claims."""

from ray import tune


def placement_group_factory(num_gpus: int) -> "tune.PlacementGroupFactory":
    """Return one bundle with all of a replica's GPUs and a CPU for the load client.

    A single STRICT_PACK bundle keeps the replica on one node, where its ranks share the fast
    interconnect.
    """
    bundle = {"CPU": 1.0, "GPU": float(num_gpus)}
    return tune.PlacementGroupFactory([bundle], strategy="STRICT_PACK")
