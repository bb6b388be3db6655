"""The folder that a study writes to: one process at a time, one study for ever."""

import contextlib
import fcntl
import importlib.metadata
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import History, Journal
from traces.schema import Trace
from trainables.engines.launch import recorded_study

if TYPE_CHECKING:
    from scoot_ray.plan import Plan  # which imports torch


def make_folder(path: Path) -> None:
    """Make a folder to write to, with those above it; one that is there is as good.

    Raises:
        OutputError: If it cannot be made or written to.
    """
    with _as_output_error(path):
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()


@contextlib.contextmanager
def _as_output_error(folder: Path) -> Iterator[None]:
    """Tell a person what the system says of a folder."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"Cannot write to the output folder {folder}: {error.strerror}."
        ) from None


@contextlib.contextmanager
def exclusive(output: Path) -> Iterator[None]:
    """Hold the output folder for this process; the lock vanishes with the process.

    Raises:
        OutputError: If the folder cannot be written, or another process holds it.
    """
    with _as_output_error(output):
        output.mkdir(parents=True, exist_ok=True)
        lock = (output / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"Another process is tuning into {output}; wait for it, or choose another folder."
            ) from None
        yield


def require_fitting(journal: Journal, plan: "Plan", resume: bool | None) -> None:
    """Check that the folder is free, or holds this very study if it is to be resumed.

    Args:
        journal: The folder's journal.
        plan: The study.
        resume: Whether there must be something to resume; None if both are well.

    Raises:
        OutputError: Saying what the folder holds and what to do.
    """
    folder = journal.path.parent
    if not journal.exists():
        if resume:
            raise OutputError(f"{folder} holds no study to resume; leave --resume out.")
        return
    history = journal.read()
    if resume is False:
        raise OutputError(
            f"{folder} already holds study {history.header['study']['name']!r} with "
            f"{len(history.trials)} finished trial(s). Continue it with --resume, or choose "
            "another folder with --output."
        )
    _require_same(history, recorded_study(plan.study), plan.trace, folder)


def open_journal(journal: Journal, plan: "Plan", measured_by: str) -> None:
    """Begin the journal, or note in it that the study goes on, perhaps with another budget."""
    resolved = recorded_study(plan.study)
    if journal.exists():
        journal.append("resume", {"search": resolved["search"]})
        return
    journal.write_study(
        resolved,
        measured_by=measured_by,
        trace_sha256=plan.trace.sha256,
        default=dict(plan.space.default),
        first=[dict(config) for config in plan.first],
        versions=_versions(),
    )


def _require_same(history: History, resolved: dict[str, Any], trace: Trace, folder: Path) -> None:
    """Check that a resumed study is the one begun; budget, nodes, hours and trackers may change."""
    begun, resolved = _without_folders(history.header["study"]), _without_folders(resolved)
    fixed = resolved.keys() - {"search", "placement", "schedule", "callbacks"}
    differing = sorted(key for key in fixed if resolved[key] != begun.get(key))
    differing += [
        f"search.{key}"
        for key in ("algorithm", "seed", "options", "start_from")
        if resolved["search"][key] != begun["search"][key]
    ]
    if history.header["trace_sha256"] != trace.sha256:
        differing.append("the content of workload.trace")
    if differing:
        raise OutputError(
            f"{folder} holds another study: {', '.join(differing)} differ(s). Resume with the "
            "study file that it was begun with, or choose another folder with --output."
        )


def _without_folders(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Name shipped files without their folders: a job finds them in another one each time."""
    trace = PurePath(resolved["workload"]["trace"]).name
    measured = resolved.get("simulator", {})
    search = resolved["search"]
    earlier = [PurePath(source).name for source in search.get("start_from", [])]
    return {
        **resolved,
        "search": {**search, "start_from": earlier},
        "workload": {**resolved["workload"], "trace": trace},
        "simulator": {
            key: PurePath(value).name if isinstance(value, str) else value
            for key, value in measured.items()
        },
    }


def _versions() -> dict[str, str]:
    packages = ("scoot-ray", "ray", "torch", "botorch", "scikit-learn", "pymoo", "numpy")
    versions = {"python": sys.version.split()[0]}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
