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

How `scoot` differs from the paper, what each difference brought, and what was tried and left out
is told in `docs/effects.md`.
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

__all__ = ["OPTIMIZERS", "Optimizer", "make_optimizer", "those_of"]

SHARED = ("space", "objectives", "seed")  # what every algorithm is made from

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
    known = _option_names(name)
    for option in options:
        if option not in known:
            raise StudyError(_unknown(f"option of {name}", option, known))
    return OPTIMIZERS[name](space, objectives, seed=seed, **options)


def those_of(name: str, **options: Any) -> dict[str, Any]:
    """Keep the options that an algorithm has; none if there is no such algorithm."""
    known = _option_names(name) if name in OPTIMIZERS else []
    return {option: value for option, value in options.items() if option in known}


def _option_names(name: str) -> list[str]:
    parameters = inspect.signature(OPTIMIZERS[name]).parameters
    return [parameter for parameter in parameters if parameter not in SHARED]


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    hint = did_you_mean(name, known)
    return f"{name!r} is not an {what}.{hint} The choices are: {', '.join(known)}."
