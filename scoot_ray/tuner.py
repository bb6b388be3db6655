"""The composition root: a study becomes a Ray Tune run, and its journal becomes a result."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from ray import tune
from rich.console import Console

from cluster.connection import connect, limit_pending
from cluster.interruption import Interruption
from cluster.preflight import Capacity
from scoot_ray.bundles import bundles_of, would_start
from scoot_ray.closing import UNLIMITED, Closing, Unlimited
from scoot_ray.core.assignment import Assignment
from scoot_ray.core.display import describe_trial
from scoot_ray.core.errors import EngineError
from scoot_ray.core.journal import History, Journal
from scoot_ray.core.result import Result
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from scoot_ray.earlier_studies import best_of_earlier
from scoot_ray.live_view import Lines, LiveView, is_wanted
from scoot_ray.output import Output
from scoot_ray.output_folder import open_journal, require_fitting
from scoot_ray.plan import Plan
from scoot_ray.preflight import fit_to_cluster
from scoot_ray.progress import Progress
from scoot_ray.recorder import Recorder
from scoot_ray.telemetry import Telemetry
from scoot_ray.trackers import make_trackers
from searchers.agenda import stop_reason
from searchers.ray_searcher import RaySearcher
from trainables.backend import BACKENDS
from trainables.ray_trainable import TrialActor


class Ending(Enum):
    """Why a study stopped."""

    FINISHED = "all trials that it wants have been run"
    INTERRUPTED = "somebody asked for it"
    CLOSING = "the window of its schedule closes"


@dataclass(frozen=True)
class Tuning:
    """How a call of `tune_study` ended.

    Attributes:
        result: What the journal says now.
        ending: Whether the study has ended, or why it is to be resumed.
    """

    result: Result
    ending: Ending


def tune_study(
    study: Study,
    output: Output,
    *,
    address: str = "local",
    resume: bool | None = False,
    closing: Closing | Unlimited = UNLIMITED,
) -> Tuning:
    """Run a study to its end, or until it is interrupted.

    Args:
        study: The study.
        output: Where the journal and the trials go; held by the caller.
        address: "local" starts Ray here; "auto" or "ray://..." joins a cluster.
        resume: Continue the study that `output` holds; None if it holds one.
        closing: The end of the window in which the study may run.

    Raises:
        UserError: If the study, the output folder, the engine or the cluster does not fit.
    """
    plan = Plan.of(study)
    backend = BACKENDS[study.engine.kind]
    measured_by = backend.check(study, plan.space)
    is_logical = backend.has_logical_gpus(study)
    logical_gpus = study.service.num_gpus if is_logical else None
    trackers = make_trackers(study, output)
    journal = output.journal
    require_fitting(journal, plan, resume)
    first = _tried_first(study, journal)
    closing.require_room(journal.read().trials if journal.exists() else ())
    with connect(address, parallelism=study.search.parallelism, logical_gpus=logical_gpus):
        capacity = Capacity.of_cluster(study, has_logical_gpus=is_logical)
        plan, found = fit_to_cluster(plan, capacity)
        plan = plan.starting_with(first)
        open_journal(journal, plan, measured_by)
        notes = {"trace": plan.describe_trace(), "cluster": found}
        if study.search.start_from:
            notes["start"] = plan.describe_start()
        interruption = _fit(plan, capacity, output, closing, notes, trackers)
    history = journal.read()
    reason = stop_reason(history.trials)
    if reason:
        raise EngineError(f"The study stopped: {reason}\nWhat was finished is in {output.where}.")
    return Tuning(Result.from_history(study, history), _ending(plan, history, interruption))


def _tried_first(study: Study, journal: Journal) -> Sequence[Config]:
    """List what comes first: as the journal has it, or as the earlier studies have it now."""
    if journal.exists():
        recorded: Sequence[Config] = journal.read().header.get("first", ())
        return recorded
    return best_of_earlier(study)


def _ending(plan: Plan, history: History, interruption: Interruption) -> Ending:
    if plan.agenda.is_finished(history):
        return Ending.FINISHED
    return Ending.INTERRUPTED if interruption.has_come else Ending.CLOSING


def _fit(
    plan: Plan,
    capacity: Capacity,
    output: Output,
    closing: Closing | Unlimited,
    notes: Mapping[str, str],
    trackers: Sequence[tune.Callback],
) -> Interruption:
    study = plan.study
    journal = output.journal
    console = Console()
    view = LiveView(plan, journal, console) if is_wanted(console) else Lines()
    limit_pending(capacity.max_pending(study.search.parallelism))
    trainable = tune.with_resources(
        tune.with_parameters(
            TrialActor,
            study=study,
            trace=plan.trace,
            default=dict(plan.space.default),
            trials_folder=output.path.absolute() / "trials",
            keep=output.keep,
            tell=view.teller,
        ),
        partial(bundles_of, study=study, capacity=capacity),
    )
    progress = Progress(
        objectives=study.objectives,
        default=plan.space.default,
        num_trials=plan.num_trials,
    )
    progress.resume(journal.read().trials)
    for topic, text in notes.items():
        progress.note(f"{topic}: {text}")
    interruption = Interruption()
    with tempfile.TemporaryDirectory(prefix="scoot-tune-") as scratch:
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=RaySearcher(
                    plan.agenda,
                    journal,
                    may_start=closing.allows_another,
                    has_room=partial(would_start, study=study, capacity=capacity),
                ),
                num_samples=-1,
                max_concurrent_trials=study.search.parallelism,
                # An actor is named after its trial, so it is used again only where nobody watches.
                reuse_actors=BACKENDS[study.engine.kind].takes_no_time(study),
                trial_name_creator=partial(_trial_name, default=dict(plan.space.default)),
                trial_dirname_creator=_trial_folder,
            ),
            run_config=tune.RunConfig(
                name=study.name,
                storage_path=scratch,
                callbacks=[
                    Recorder(study, journal, progress),
                    Telemetry(plan, journal),
                    view,
                    interruption,
                    *trackers,
                ],
                # Our searcher hands a lost trial out again: the journal knows of every loss.
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )
        with view.shown(), interruption.handled(), closing.enforced(interruption.stop):
            tuner.fit()
    return interruption


def _trial_name(trial: Any, default: Config) -> str:
    return describe_trial(Assignment.from_json(trial.config), default)


def _trial_folder(trial: Any) -> str:
    return f"trial-{trial.config['number']:04d}"
