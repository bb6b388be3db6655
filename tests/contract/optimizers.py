"""Every optimiser that the contract suites hold to the same promises, by name."""

from collections.abc import Sequence
from typing import Any

from scoot_ray.core.objective import Objective
from scoot_ray.core.space import SearchSpace
from searchers import OPTIMIZERS, Optimizer, make_optimizer
from searchers.initial_design import draw_some
from searchers.warm_start import WarmStart, adapt

WARM_START = "scoot, warm start"
NAMES = [*sorted(OPTIMIZERS), WARM_START]


def build(
    name: str, space: SearchSpace, objectives: Sequence[Objective], *, seed: int, **options: Any
) -> Optimizer:
    """Build an optimiser; the one with a warm start has three configurations to begin with."""
    if name != WARM_START:
        return make_optimizer(name, space, objectives, seed=seed, **options)
    optimizer = make_optimizer("scoot", space, objectives, seed=seed, **options)
    return WarmStart(optimizer, space, adapt(space, draw_some(space, 3, frozenset(), seed=seed)))
