"""What to try next: search algorithms behind one seam, `Optimizer`.

The loop, which `scoot_ray.tuner` runs:

    while the study goes on:
        config = optimizer.suggest(history, pending)    # this package
        outcome = stress_test.run(config, ...)          # trainables
        history.append(record of the outcome)

Sign convention: in here every objective is a loss, smaller is better (`Objective.sign` times the
metric), and every acquisition function is larger is better.

Optimisers keep no state between calls. Adding one takes a file and a line of `OPTIMIZERS`.
`scoot_paper` is the paper's method element by element; `genetic`, `vanilla_bo` and `random` are
baselines; `scoot` is the default.

`scoot` differs from the paper in these points:
- half as many Sobol points after the default;
- wide integer ranges are laid out by magnitude, and positive losses modelled in logarithms, while
  EHVI still promises hypervolume of the losses themselves;
- priors on the hyper-parameters suit many dimensions and few points;
- one scalar acquisition, log EI or log EHVI, times the probability that the limits are met, times
  the third power of the probability of feasibility in place of the threshold on it;
- hill climbing from Sobol points and from the best measured ones in place of NSGA-II;
- pending configurations, and the earlier ones of a batch, are believed at the surrogate's mean.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoot_ray.core.errors import StudyError, did_you_mean
from scoot_ray.core.objective import Objective
from scoot_ray.core.space import SearchSpace
from searchers.genetic import genetic_search
from searchers.optimizer import Optimizer
from searchers.random_search import RandomSearch
from searchers.scoot import scoot_search
from searchers.scoot_paper import paper_search
from searchers.vanilla_bo import vanilla_search

__all__ = ["OPTIMIZERS", "Optimizer", "make_optimizer"]

OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {
    "random": RandomSearch,
    "genetic": genetic_search,
    "vanilla_bo": vanilla_search,
    "scoot_paper": paper_search,
    "scoot": scoot_search,
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
