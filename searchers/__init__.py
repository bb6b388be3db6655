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

`scoot` differs from the paper in the points below. Effects are differences in the share of the
best improvement known after 30 observations, in points with a 95 % interval, over 6 to 21
development services of `benchmarks.analytic` with one to three paired seeds each; one engine
family, so read them as directions. Several were measured one on top of the other. All but those of
the rules of thumb and of the box were measured before `benchmarks.analytic_engine` made prompts
wait for room in a step: until then budgets as small as the batch were best there for throughput, as
on no engine.
- Three rules of thumb (`searchers.rules_of_thumb`) after the default, before the Sobol points:
  after 15 and 30 observations +8 +- 7 and +9 +- 6 on twelve services of the simulator, six seeds
  each (half of it on one service), 0 +- 3 and -2 +- 3 in closed form (24 services, two seeds
  each), there with 0.6 +- 0.3 crashes more. The third left the fewest GPUs to the second later on,
  which changes nothing on those services and saves one crash where the fewest do not hold the
  weights (2.8 for 3.9 on a service of Vidur, twelve seeds). In place of as many Sobol points
  +9 +- 6 and -6 +- 5 after 30; without a number of tokens in the first two +7 +- 6 and -2 +- 3;
  laid over Sobol points, in place of the default's other values, -5 +- 3 in closed form.
- Wide integer ranges are laid out by magnitude: +12 +- 8.
- Half as many Sobol points after the default: +4 +- 3 against as many as parameters; a third of
  them is no better (-6 +- 6). Points that share half of their coordinates with the default are
  worse (-9 +- 9, and 4.2 crashes of 30 for 2.6): neither the best nor the safe are near it.
- One scalar acquisition, log EI or log EHVI times POF to a power, in place of MACE's front and the
  threshold alone. The eighth power against the fourth: 0 +- 1, with 2.2 crashes of 30 for 2.6;
  the sixteenth against the eighth: -1 +- 3, with 2.0 for 2.3. A power that grows from the eighth to
  the 32nd as observations come in: -1 +- 3, with 1.8 for 2.3 (84 runs; fewer by 0.5 +- 0.2).
- POF is the mean of the forest and a Gaussian process on the labels. Without the forest, 3.3
  crashes for 2.4 and -2 +- 4. A linear trend over sizes as they are, not by magnitude, in that
  process: no fewer crashes, so left out.
- POF falls beyond the box of what ran: 1.2 crashes for 2.5 (fewer by 1.3 +- 0.2), +1 +- 2 after 15
  and after 30 observations (96 runs in closed form); 0.3 for 0.4, -1 +- 5 and -1 +- 6 on twelve
  services of the simulator (72 runs). Twice as steep: 0.8 crashes, +1 +- 3 after 30; with half the
  caution besides, 1.2 and +3 +- 3. A box of sizes only, not of switches: as many, and a tie.
- Tried and left out, the box in place and in closed form (96 runs): improvements of less than 1 %
  promising nothing 0 +- 2; a caution that does not grow 0 +- 2 with 0.8 +- 0.2 crashes more; less
  noise expected (median e^-6 for e^-4) +1 +- 2. Points preferred that leave most as it is in a
  good one: -3 +- 4 (48 runs). Before the box: changes from the default made dearer, -1 +- 3 with
  0.4 +- 0.2 crashes fewer; length scales three times as long for what seldom matters (block size,
  delays) +2 +- 2 and -1 +- 5 on the simulator; length scales learned from 300 noiseless points of
  the very service, the most that such knowledge could bring, +1 +- 3.
- Losses worse than one standard unit are cut off; length scales have a prior of median sqrt(d) and
  width 1.2, not four times that and 1.7: together +4 +- 4, a tie. A prior of width 0.7 loses on
  rough functions (mixed Branin: median 2.2 for 0.9).
- Tried and left out: a linear trend in the surrogate. With it +2 +- 3 and 0.2 crashes more on 84
  runs, a tie, but a median of 3.3 for 1.3 on mixed Branin.
- Losses of one sign, times and rates, are modelled in logarithms, while EHVI promises hypervolume
  of the losses themselves: +1 +- 1 for times, +2 +- 7 for rates.
- Tried and left out: improvement over the surrogate's mean at what was measured, not over the
  measurements: 0 +- 2, and no better on seven services of the noisier simulator, six seeds each.
- Tried and left out: recommending by the surrogate's mean, not the measurement: -3 +- 6 for the
  first choice, -2 +- 8 for the best of three (eight services of the simulator, four seeds each).
- Below the paper's Delta the acquisition falls steeply: a tie there, and 38 crashes for 45 where
  the optimum lies at the edge of a crash region (`tests/statistical`).
- Hill climbing from Sobol points and the best measured ones in place of NSGA-II: -2 +- 2, a tie,
  and fewer crashes by 0.7 +- 0.3.
- Tried and left out: looking four times as hard for the acquisition's maximum: -8 +- 6 on eight
  services of the simulator, ten seeds each, and 0 +- 3 with 0.7 +- 0.3 crashes more in closed form;
  half as hard +3 +- 7 and -3 +- 5. Where the model promises most it may just be most wrong.
- Tried and left out on the same runs: a sum of kernels of one parameter each beside the joint one:
  +5 +- 7 and -3 +- 4, though it ranks what other searches measured a little better (0.63 for
  0.62). Standardising again what the cut leaves, or cutting at the median: -4 +- 15, -8 +- 14
  (simulator, four seeds).
- Tried and left out on the same runs: every value of a switch at least once among the first points,
  which a few searches never met: taken from many Sobol points 0 +- 7 and -5 +- 5, by changing no
  more points than that takes +1 +- 3 and -1 +- 1. Improvements of less than 2 % promising nothing:
  -2 +- 9 and -2 +- 3, with 0.3 crashes more each.
- Tried and left out: hyper-parameters drawn from their posterior (elliptical slice sampling, eight
  draws) in place of the most probable ones. Mixed into one prediction -1 +- 3 in closed form (72
  runs) and -4 +- 7 on twelve services of the simulator; as the mean of acquisitions +2 +- 2 and
  -2 +- 8; after 15 observations -3 +- 4 and -4 +- 4 in closed form.
- Tried and left out, to help the few searches that get stuck where two switches exclude each
  other: switches and short lists laid out from end to end, which makes what they do seem larger:
  +3 +- 5 on twelve services of the simulator (72 runs), 0 +- 3 in closed form (48 runs), there
  after 15 observations -5 +- 4. Changing neighbours that break a known constraint further until
  they keep it: +2 +- 4 on 129 runs, +6 on the first 72 of them, and 0 +- 3. Every fourth
  suggestion the best of 16 Sobol points: +2 +- 6 and -1 +- 3. Length scales half as long: 0 +- 5
  (61 runs).
- Tried and left out: caution only where a crash is likelier than it is in general: +2 +- 2 in
  closed form (48 runs) with 0.9 +- 0.3 crashes more.
- Tried and left out, with the rules of thumb and in closed form as it is now (48 runs): every
  fourth suggestion the best of 16 Sobol points: -1 +- 2; such a point whenever four trials
  brought no per cent: -2 +- 3; twice the caution: -2 +- 3, with 0.2 +- 0.2 crashes fewer; two
  Sobol points more: 0 +- 3, with 0.5 crashes more.
- Not the search's to decide: one arrival order for all trials of a search, judged by others as
  ever: +6 +- 6 after 15 observations, +5 +- 8 after 30, on those services of the simulator.
- Pending configurations are believed at the surrogate's mean: with eight at once +2 +- 3, and fewer
  crashes by 1.8 +- 0.8, than where they only are not suggested again.
- Limits as probabilities in the acquisition, not only a condition on what is recommended: +1 +- 12
  after 30 observations and +5 +- 7 after 15, a tie (throughput under a limit on TPOT, 24 runs).
- Tests that were ended early by an estimate of what the whole test would have measured: -0.1 +- 0.8
  points of gain over the default against whole tests (160 pairs of studies of
  `benchmarks.early_stop`); on 80 of them -0.1 +- 1.3, with bounds as censored observations
  -1.5 +- 1.9, with bounds as if measured -1.2 +- 1.3.

Before the rules of thumb, and in closed form as it was, on six services held out (numbers 100 and
101 of each kind, 10 paired seeds, `make bench-analytic`): share after 15 and 30 observations, and
crashes of 30: scoot 89 and 94 %, 2.4; scoot_paper 77 and 81 %, 6.6; genetic 74 and 78 %, 3.5;
random 75 and 78 %, 6.3. They have been looked at for four versions of `scoot` by now.

As it is here, on eighteen others (102 to 107), which nothing was developed on: 86 and 90 %, 2.4;
without the rules 80 and 88 %, 2.1; the best published tool with ten seeds, Optuna's GP, 77 and
85 %, 3.2 (`docs/benchmarks.md`).
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
