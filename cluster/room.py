"""Whether a trial would start at once on the nodes that are up."""

from collections.abc import Iterable, Sequence

from cluster.preflight import Bundle, Capacity, Node


def has_room(capacity: Capacity, num_gpus: int, running: Iterable[int]) -> bool:
    """Tell whether a trial would start at once beside the study's own; others are not seen.

    Ray is asked which nodes there are, not what is free on them: it learns of that some time after
    a trial has ended.

    Args:
        capacity: What the study's trials may use.
        num_gpus: GPUs that the trial claims.
        running: GPUs of the trials that run, or wait for a node.
    """
    return fits(capacity.nodes_up(), capacity.bundles(num_gpus), map(capacity.bundles, running))


def fits(
    nodes: Sequence[Node], trial: Sequence[Bundle], running: Iterable[Sequence[Bundle]]
) -> bool:
    """Tell whether the bundles of a trial fit on nodes beside those of others."""
    for bundles in running:
        nodes = _place(bundles, nodes) or nodes
    return _place(trial, nodes) is not None


def _place(bundles: Sequence[Bundle], nodes: Sequence[Node]) -> list[Node] | None:
    """Take bundles from the fullest nodes that hold them, as Ray does; None if there are none."""
    left = list(nodes)
    for bundle in bundles:
        fitting = [n for n, node in enumerate(left) if node.num_bundles(bundle)]
        if not fitting:
            return None
        fullest = min(fitting, key=lambda n: left[n].num_gpus)
        left[fullest] = left[fullest].without(bundle)
    return left
