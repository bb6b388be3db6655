"""The composition root: a study becomes a Ray Tune run, and its journal becomes a result."""

import contextlib
import fcntl
import importlib.metadata
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune

from cluster.connection import connect
from cluster.placement import placement_group_factory
from cluster.preflight import Capacity
from scoot_ray.core.errors import EngineError, OutputError
from scoot_ray.core.journal import History, Journal
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.plan import Plan
from scoot_ray.progress import Progress
from scoot_ray.recorder import Recorder
from searchers.agenda import stop_reason
from searchers.ray_searcher import RaySearcher
from traces.schema import Trace
from trainables.backend import BACKENDS
from trainables.ray_trainable import run_trial
from trainables.spaces import num_gpus_of

MAX_INFRASTRUCTURE_FAILURES = 3
"""Times that Ray Tune moves a trial whose actor or node died before it counts as FAILED."""


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
    logical_gpus = study.service.num_gpus if backend.has_logical_gpus(study) else None
    journal = Journal(output / "journal.jsonl")
    with _exclusive(output):
        _open_journal(journal, plan, measured_by, resume)
        with connect(address, parallelism=study.search.parallelism, logical_gpus=logical_gpus):
            Capacity.of_cluster().require(study.service.num_gpus, plan.largest_bundle_gpus)
            _fit(plan, journal, output)
    history = journal.read()
    reason = stop_reason(history.trials)
    if reason:
        raise EngineError(f"The study stopped: {reason}\nWhat was finished is in {output}.")
    result = Result.from_history(study, history)
    return Tuning(result, plan.agenda.is_finished(history))


def _fit(plan: Plan, journal: Journal, output: Path) -> None:
    study = plan.study
    trainable = tune.with_resources(
        tune.with_parameters(
            run_trial, study=study, trace=plan.trace, trials_folder=output.absolute() / "trials"
        ),
        lambda parameters: placement_group_factory(num_gpus_of(study, parameters["config"])),
    )
    progress = Progress(
        objectives=study.objectives,
        default=plan.space.default,
        num_trials=1 + study.search.observations + study.confirm.repeats,
    )
    progress.resume(journal.read().trials)
    progress.note(f"trace: {plan.describe_trace()}")
    with tempfile.TemporaryDirectory(prefix="scoot-tune-") as scratch:
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=RaySearcher(plan.agenda, journal),
                num_samples=-1,
                max_concurrent_trials=study.search.parallelism,
                reuse_actors=True,
                trial_name_creator=_trial_name,
                trial_dirname_creator=_trial_name,
            ),
            run_config=tune.RunConfig(
                name=study.name,
                storage_path=scratch,
                callbacks=[Recorder(study, journal, progress)],
                failure_config=tune.FailureConfig(max_failures=MAX_INFRASTRUCTURE_FAILURES),
                verbose=0,
            ),
        )
        tuner.fit()


def _trial_name(trial: Any) -> str:
    return f"trial-{trial.config['number']:04d}"


@contextlib.contextmanager
def _exclusive(output: Path) -> Iterator[None]:
    """Hold the output folder for this process; the lock vanishes with the process."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = (output / ".lock").open("w")
    except OSError as error:
        raise OutputError(f"Cannot write to the output folder {output}: {error}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"Another process is tuning into {output}; wait for it, or choose another folder."
            ) from None
        yield


def _open_journal(journal: Journal, plan: Plan, measured_by: str, resume: bool) -> None:
    """Begin the journal, or check that it holds this very study."""
    resolved = plan.study.model_dump(mode="json")
    folder = journal.path.parent
    if not journal.exists():
        if resume:
            raise OutputError(f"{folder} holds no study to resume; leave --resume out.")
        journal.write_study(
            resolved,
            measured_by=measured_by,
            trace_sha256=plan.trace.sha256,
            default=dict(plan.space.default),
            versions=_versions(),
        )
        return
    history = journal.read()
    if not resume:
        raise OutputError(
            f"{folder} already holds study {history.header['study']['name']!r} with "
            f"{len(history.trials)} finished trial(s). Continue it with --resume, or choose "
            "another folder with --output."
        )
    _require_same(history, resolved, plan.trace, folder)
    journal.append("resume", {"search": resolved["search"]})


def _require_same(history: History, resolved: dict[str, Any], trace: Trace, folder: Path) -> None:
    """Check that a resumed study is the one that was begun; its budget may change."""
    begun = history.header["study"]
    differing = [key for key in resolved if key != "search" and resolved[key] != begun.get(key)]
    differing += [
        f"search.{key}"
        for key in ("algorithm", "seed", "options")
        if resolved["search"][key] != begun["search"][key]
    ]
    if history.header["trace_sha256"] != trace.sha256:
        differing.append("the content of workload.trace")
    if differing:
        raise OutputError(
            f"{folder} holds another study: {', '.join(differing)} differ(s). Resume with the "
            "study file that it was begun with, or choose another folder with --output."
        )


def _versions() -> dict[str, str]:
    packages = ("scoot-ray", "ray", "torch", "botorch", "scikit-learn", "pymoo", "numpy")
    versions = {"python": sys.version.split()[0]}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
