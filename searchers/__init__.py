"""What to try next: search algorithms behind one seam, `Optimizer`.

The loop, which `scoot_ray.tuner` runs:

    while the study goes on:
        config = optimizer.suggest(history, pending)    # this package
        outcome = stress_test.run(config, ...)          # trainables
        history.append(record of the outcome)

Sign convention: in here every objective is a loss, smaller is better (`Objective.sign` times the
metric), and every acquisition function is larger is better.

Optimisers keep no state between calls. Adding one takes a file and a line of `OPTIMIZERS`.

`scoot` differs from the paper in these points (only the first is measured so far):
- the first suggestion of a single-objective batch is the best EI of MACE's front, not a random
  one: median best loss 0.62 against 0.83, worst 0.71 against 5.4, on the tests' mixed Branin
  (20 trials, 6 seeds; NSGA-II ran 30 generations before and 20 after the change);
- pending configurations are believed at the surrogate's mean, since trials are asynchronous;
- the k suggestions of a multi-objective batch are chosen one after the other, each believed;
- positive metrics that span more than a factor of ten are modelled in logarithms;
- limits multiply the acquisition functions by the probability that they are met;
- beta_t enters UCB by its root;
- Sobol points that make up the number are chosen for their probability of feasibility.
"""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoot_ray.core.errors import StudyError, did_you_mean
from scoot_ray.core.objective import Objective
from scoot_ray.core.space import SearchSpace
from searchers.optimizer import Optimizer
from searchers.random_search import RandomSearch

with warnings.catch_warnings():
    # GPyTorch's linear_operator still uses torch.jit.script, which torch 2.13 deprecates.
    warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
    from searchers.scoot import Scoot

__all__ = ["OPTIMIZERS", "Optimizer", "make_optimizer"]

OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {
    "random": RandomSearch,
    "scoot": Scoot,
}


def make_optimizer(
    name: str,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    seed: int,
    **options: Any,
) -> Optimizer:
    """Build a search algorithm by name.

    Args:
        name: A key of `OPTIMIZERS`.
        space: What may be tuned.
        objectives: What to optimise, at least one.
        seed: At least 0; the same seed and history give the same suggestions.
        options: The algorithm's own, such as `limits`, a sequence of `Limit`.

    Raises:
        StudyError: If the name or an option is unknown, an objective is missing or the seed is
            negative.
    """
    if name not in OPTIMIZERS:
        raise StudyError(_unknown("algorithm", name, list(OPTIMIZERS)))
    if not objectives:
        raise StudyError("A search needs at least one objective; it has none. Name a metric.")
    if seed < 0:
        raise StudyError(f"seed: expected at least 0, got {seed}.")
    constructor = OPTIMIZERS[name]
    known = [
        parameter
        for parameter in inspect.signature(constructor).parameters
        if parameter not in ("space", "objectives", "seed")
    ]
    for option in options:
        if option not in known:
            raise StudyError(_unknown(f"option of {name}", option, known))
    return constructor(space, objectives, seed=seed, **options)


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    hint = did_you_mean(name, known)
    return f"{name!r} is not an {what}.{hint} The choices are: {', '.join(known)}."
