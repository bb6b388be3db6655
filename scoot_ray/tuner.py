"""The composition root: a study becomes a Ray Tune run, and its journal becomes a result."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune

from cluster.connection import connect, limit_pending
from cluster.interruption import Interruption
from cluster.preflight import Capacity
from scoot_ray.core.display import describe_trial
from scoot_ray.core.errors import EngineError
from scoot_ray.core.journal import Journal
from scoot_ray.core.result import Result
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from scoot_ray.core.trial import Assignment
from scoot_ray.output_folder import exclusive, open_journal, require_fitting
from scoot_ray.plan import Plan
from scoot_ray.preflight import fit_to_cluster
from scoot_ray.progress import Progress
from scoot_ray.recorder import Recorder
from scoot_ray.telemetry import Telemetry
from searchers.agenda import stop_reason
from searchers.ray_searcher import RaySearcher
from trainables.backend import BACKENDS
from trainables.ray_trainable import TrialActor
from trainables.replicas import replicas_of


@dataclass(frozen=True)
class Tuning:
    """How a call of `tune_study` ended.

    Attributes:
        result: What the journal says now.
        is_finished: False when the study was interrupted and can be resumed.
    """

    result: Result
    is_finished: bool


def tune_study(
    study: Study, output: Path, *, address: str = "local", resume: bool = False
) -> Tuning:
    """Run a study to its end, or until it is interrupted.

    Args:
        study: The study.
        output: Folder for the journal and the trials.
        address: "local" starts Ray here; "auto" or "ray://..." joins a cluster.
        resume: Continue the study that `output` holds.

    Raises:
        UserError: If the study, the output folder, the engine or the cluster does not fit.
    """
    plan = Plan.of(study)
    backend = BACKENDS[study.engine.kind]
    measured_by = backend.check(study, plan.space)
    is_logical = backend.has_logical_gpus(study)
    logical_gpus = study.service.num_gpus if is_logical else None
    journal = Journal(output / "journal.jsonl")
    with exclusive(output):
        require_fitting(journal, plan, resume)
        with connect(address, parallelism=study.search.parallelism, logical_gpus=logical_gpus):
            capacity = Capacity.of_cluster(study, has_logical_gpus=is_logical)
            plan, found = fit_to_cluster(plan, capacity)
            open_journal(journal, plan, measured_by)
            _fit(
                plan,
                capacity,
                journal,
                output,
                notes={"trace": plan.describe_trace(), "cluster": found},
            )
    history = journal.read()
    reason = stop_reason(history.trials)
    if reason:
        raise EngineError(f"The study stopped: {reason}\nWhat was finished is in {output}.")
    result = Result.from_history(study, history)
    return Tuning(result, plan.agenda.is_finished(history))


def _fit(
    plan: Plan, capacity: Capacity, journal: Journal, output: Path, notes: Mapping[str, str]
) -> None:
    study = plan.study
    limit_pending(capacity.max_pending(study.search.parallelism))
    trainable = tune.with_resources(
        tune.with_parameters(
            TrialActor,
            study=study,
            trace=plan.trace,
            default=dict(plan.space.default),
            trials_folder=output.absolute() / "trials",
        ),
        partial(_bundles, study=study, capacity=capacity),
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
                search_alg=RaySearcher(plan.agenda, journal),
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
                    interruption,
                ],
                # Our searcher hands a lost trial out again: the journal knows of every loss.
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )
        with interruption.handled():
            tuner.fit()


def _bundles(
    parameters: Mapping[str, Any], study: Study, capacity: Capacity
) -> tune.PlacementGroupFactory:
    num_gpus = replicas_of(study, parameters["config"]).num_gpus
    return capacity.placement.factory(num_gpus, capacity.largest_node_gpus)


def _trial_name(trial: Any, default: Config) -> str:
    return describe_trial(Assignment.from_json(trial.config), default)


def _trial_folder(trial: Any) -> str:
    return f"trial-{trial.config['number']:04d}"
