"""What `scoot check` looks at before a study costs anything, and `scoot tune` insists on."""

from collections.abc import Iterator

from cluster.connection import connect
from cluster.preflight import Capacity
from scoot_ray.core.display import format_duration
from scoot_ray.core.study import Study
from scoot_ray.earlier_studies import best_of_earlier
from scoot_ray.plan import Plan
from trainables.backend import BACKENDS
from trainables.forecast import describe_memory


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
    is_logical = backend.has_logical_gpus(study)
    logical = study.service.num_gpus if is_logical else None
    with connect(address, parallelism=study.search.parallelism, logical_gpus=logical):
        capacity = Capacity.of_cluster(study, has_logical_gpus=is_logical)
    plan, found = fit_to_cluster(plan, capacity)
    if study.search.start_from:
        yield "start", plan.starting_with(best_of_earlier(study)).describe_start()
    yield "memory", describe_memory(study, plan.space)
    yield "cluster", found
    yield "duration", describe_duration(plan, capacity, backend.trial_s(study, plan.space))


def describe_duration(plan: Plan, capacity: Capacity, trial_s: float) -> str:
    """Say how long the study will take, from the time of one trial and those that run at once.

    Sizes are taken to come up equally often; failures, retries and early ends are not counted.
    """
    at_once = [capacity.num_concurrent(size) for size in plan.bundle_sizes]
    asked = plan.study.search.parallelism
    mean = sum(min(asked, number) for number in at_once) / len(at_once)
    total_s = plan.num_trials * trial_s / mean
    return (
        f"about {format_duration(total_s)}: at most {plan.num_trials} trials of about "
        f"{format_duration(trial_s)}, {mean:.2g} at once on average"
    )


def fit_to_cluster(plan: Plan, capacity: Capacity) -> tuple[Plan, str]:
    """Return the plan without what the cluster can never hold, and what there is in words.

    Raises:
        ClusterError: If not even the default configuration can be placed.
    """
    capacity.require(plan.num_gpus_of(plan.space.default))
    fitting = plan.within(capacity.largest_trial_gpus)
    text = capacity.describe(fitting.bundle_sizes, plan.study.search.parallelism)
    masked = [f"{size}" for size in plan.bundle_sizes if size not in fitting.bundle_sizes]
    if masked:
        text += f"; trials of {', '.join(masked)} GPUs fit nowhere and are left out of the search"
    return fitting, text
