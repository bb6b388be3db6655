"""From a trial's parameters to its placement group.

It is a module of its own because each trial's actor imports it: the search, with torch, stays out.
"""

from collections.abc import Mapping
from typing import Any

from ray import tune

from cluster.preflight import Capacity
from scoot_ray.core.study import Study
from trainables.replicas import replicas_of


def bundles_of(
    parameters: Mapping[str, Any], study: Study, capacity: Capacity
) -> tune.PlacementGroupFactory:
    """Return what the trial of an assignment, as plain data, claims."""
    num_gpus = replicas_of(study, parameters["config"]).num_gpus
    return capacity.placement.factory(num_gpus, capacity.largest_node_gpus)
