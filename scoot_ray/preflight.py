"""What `scoot check` looks at before a study costs anything, and `scoot tune` insists on."""

from collections.abc import Iterator

from cluster.connection import connect
from cluster.preflight import Capacity
from scoot_ray.core.study import Study
from scoot_ray.plan import Plan
from trainables.backend import BACKENDS


def check_study(study: Study, *, address: str) -> Iterator[tuple[str, str]]:
    """Yield what was found, topic by topic.

    Raises:
        UserError: At the first thing that stands in the way.
    """
    plan = Plan.of(study)
    backend = BACKENDS[study.engine.kind]
    yield "engine", backend.check(study, plan.space)
    yield "trace", plan.describe_trace()
    yield "space", ", ".join(f"{p.name}: {p}" for p in plan.space.parameters)
    logical = study.service.num_gpus if backend.has_logical_gpus(study) else None
    with connect(address, parallelism=study.search.parallelism, logical_gpus=logical):
        capacity = Capacity.of_cluster()
    capacity.require(study.service.num_gpus, plan.largest_bundle_gpus)
    yield "cluster", _describe_capacity(plan, capacity)


def _describe_capacity(plan: Plan, capacity: Capacity) -> str:
    sizes = [2**e for e in range(plan.largest_bundle_gpus.bit_length())]
    at_once = ", ".join(
        f"{capacity.num_concurrent(size)} of {size} GPU(s)"
        for size in sizes
        if size <= plan.largest_bundle_gpus
    )
    asked = plan.study.search.parallelism
    text = f"{capacity.num_gpus} GPU(s); trials at once: {at_once}; parallelism asked: {asked}"
    most = capacity.num_concurrent(1)
    return text if asked <= most else f"{text}, of which at most {most} can run"
