"""From a trial's parameters to what it claims of the cluster.

It is a module of its own because each trial's actor imports it: the search, with torch, stays out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ray import tune

from cluster.preflight import Capacity
from cluster.room import has_room
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.replicas import replicas_of


def bundles_of(
    parameters: Mapping[str, Any], study: Study, capacity: Capacity
) -> tune.PlacementGroupFactory:
    """Return what the trial of an assignment, as plain data, claims."""
    num_gpus = replicas_of(study, parameters["config"]).num_gpus
    return capacity.placement.factory(num_gpus, capacity.largest_node_gpus)


def would_start(
    config: Config, running: Sequence[Config], study: Study, capacity: Capacity
) -> bool:
    """Tell whether a trial would start at once beside those that are running."""
    sizes = [replicas_of(study, each).num_gpus for each in running]
    return has_room(capacity, replicas_of(study, config).num_gpus, sizes)
