"""What a study publishes about itself: numbers folded from its journal, with bounded labels.

`METRICS` is the whole list; the Grafana dashboard shows these names and no others.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scoot_ray.core.journal import History
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import box_volumes, loss_matrix, measured, reference_point
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord, phase_names
from searchers.threshold import fold_threshold

RUNNING, WAITING = "RUNNING", "WAITING"


@dataclass(frozen=True)
class Metric:
    """Describe a gauge; each label has a few values that are known beforehand."""

    name: str
    description: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Give a gauge a value."""

    metric: Metric
    value: float
    labels: Mapping[str, str]


TRIALS = Metric("scoot_trials", "Trials by state; FAILED ones were run again.", ("state",))
PLANNED = Metric("scoot_trials_planned", "Trials that the study will have if none fails.")
PHASE = Metric("scoot_phase_seconds", "Mean duration of a trial's phase.", ("phase",))
BEST = Metric("scoot_best_objective", "Best value of an objective.", ("objective",))
HYPERVOLUME = Metric("scoot_hypervolume", "Largest hypervolume of a trial against the default.")
THRESHOLD = Metric("scoot_feasibility_threshold", "Least probability of feasibility asked for.")
SUGGESTION = Metric("scoot_suggestion_seconds", "Time that the last suggestion took.")
INFEASIBLE = Metric("scoot_infeasible_share", "Share of the finished trials that is infeasible.")
RETRIES = Metric("scoot_retries", "Trials that infrastructure failed.")
GPU_SECONDS = Metric("scoot_gpu_seconds", "GPU time of this run, held by trials or idle.", ("use",))

METRICS = (
    *(TRIALS, PLANNED, PHASE, BEST, HYPERVOLUME),
    *(THRESHOLD, SUGGESTION, INFEASIBLE, RETRIES, GPU_SECONDS),
)


def readings_of(
    study: Study, history: History, *, num_planned: int, num_running: int
) -> Iterator[Reading]:
    """Fold a journal into the current values.

    Args:
        study: The study.
        history: Its journal.
        num_planned: Trials that the study will have if none fails.
        num_running: How many of the unfinished trials have their bundle.
    """
    trials = history.trials
    counts = Counter({state.value: 0 for state in TrialState})
    counts.update(record.state.value for record in trials)
    counts[RUNNING] = num_running
    counts[WAITING] = max(0, len(history.unfinished) - num_running)
    for state, count in counts.items():
        yield Reading(TRIALS, count, {"state": state})
    yield Reading(PLANNED, num_planned, {})
    yield from _phases(trials)
    yield from _quality(study, trials)
    labels = [r.state for r in trials if r.state in (TrialState.COMPLETE, TrialState.INFEASIBLE)]
    if labels:
        yield Reading(INFEASIBLE, labels.count(TrialState.INFEASIBLE) / len(labels), {})
    threshold = fold_threshold([state is TrialState.COMPLETE for state in labels])
    yield Reading(THRESHOLD, threshold.delta, {})
    yield Reading(RETRIES, counts[TrialState.FAILED.value], {})
    if history.suggestions_s:
        yield Reading(SUGGESTION, history.suggestions_s[-1], {})


def _phases(trials: tuple[TrialRecord, ...]) -> Iterator[Reading]:
    for name in phase_names(trials):
        seconds = [record.phases_s[name] for record in trials if name in record.phases_s]
        yield Reading(PHASE, sum(seconds) / len(seconds), {"phase": name})


def _quality(study: Study, trials: tuple[TrialRecord, ...]) -> Iterator[Reading]:
    objectives = study.objectives
    complete, reference = measured(trials, objectives), reference_point(trials, objectives)
    if reference is None:
        return
    losses = loss_matrix(complete, objectives)
    for objective, best in zip(objectives, losses.min(axis=0), strict=True):
        value = float(objective.sign * best)
        yield Reading(BEST, value, {"objective": objective.metric})
    yield Reading(HYPERVOLUME, float(box_volumes(losses, reference).max()), {})
