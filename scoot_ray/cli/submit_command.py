"""`scoot submit`: a study as a job of a Ray cluster."""

import importlib.metadata
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from scoot_ray.cli.jobs_commands import JobsAddress, TokenFile, connect, follow_to_end
from scoot_ray.cli.options import StudyFile, TraceFile, load
from scoot_ray.core.errors import ClusterError, OutputError, StudyError, did_you_mean
from scoot_ray.core.object_store import ObjectStore, is_remote
from scoot_ray.core.study import Study, absolute_trace

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def submit(
    study_file: StudyFile,
    address: JobsAddress,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Where the results go: s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, or an absolute "
            "path on the head, shared between nodes if possible; ~/scoot-ray/NAME by default.",
        ),
    ] = None,
    trace: TraceFile = None,
    token_file: TokenFile = None,
    pip: Annotated[
        bool, typer.Option("--pip", help="Install our dependencies on the nodes with pip.")
    ] = False,
    runtime_env: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="Further keys of Ray's runtime environment."),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Return at once instead of following the logs.")
    ] = False,
    once: Annotated[
        bool,
        typer.Option("--once", help="Run in the window that is open now; do not wait for others."),
    ] = False,
    timer: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Submit nothing; print what starts the study at each opening of its windows: "
            "cron, systemd or kubernetes.",
        ),
    ] = None,
) -> None:
    """Submit a study to a Ray cluster, and follow it; submitted again, it goes on.

    Without --pip or --runtime-env the nodes must have our dependencies already. A study
    with a schedule waits on the head for its windows, without GPUs.
    """
    study = load(study_file, trace)
    target = _output_on_cluster(output or f"~/scoot-ray/{study.name}")
    if timer is not None:
        local = trace and absolute_trace(trace, Path.cwd())
        options = _again(address=address, output=target, trace=local, token_file=token_file)
        options += _again(pip=pip, runtime_env=runtime_env)
        _print_timer(study, timer, [str(study_file.absolute()), *options])
        return
    environment = _runtime_env(pip, runtime_env)
    arguments = ["--output", target, "--begin-or-resume"]
    if study.schedule is not None and not once:
        arguments.append("--wait")
    jobs = connect(address, token_file)
    name = jobs.submit(study, arguments, environment, target)
    sys.stdout.write(
        f"Submitted {name}; results go to {target}.\n"
        f"scoot jobs status|logs|stop {name} --address {address}\n"
    )
    if not is_remote(target):
        sys.stdout.write("They live on the head; --output s3://... or gs://... outlives it.\n")
    sys.stdout.flush()
    if not no_wait:
        raise typer.Exit(follow_to_end(jobs, name))


def _print_timer(study: Study, kind: str, arguments: Sequence[str]) -> None:
    from cluster.timers import TIMERS, Start

    if kind not in TIMERS:
        hint = did_you_mean(kind, TIMERS)
        raise ClusterError(f"--timer {kind}: expected {', '.join(TIMERS)}.{hint}")
    if study.schedule is None:
        raise StudyError('--timer: the study has no schedule; write `schedule: {window: "..."}`.')
    # A timer knows neither our folder nor our PATH.
    command = [sys.executable, "-m", "scoot_ray", "submit", *arguments, "--once", "--no-wait"]
    sys.stdout.write(TIMERS[kind](Start(study.name, study.schedule, command)))


def _again(**options: Any) -> list[str]:
    """Return options as they would be typed again from another folder."""
    words = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value:
            words += [option, str(value.absolute() if isinstance(value, Path) else value)]
    return words


def _output_on_cluster(text: str) -> str:
    if is_remote(text):
        return ObjectStore(text.rstrip("/")).uri
    if text.startswith(("/", "~/")):
        return text
    raise OutputError(
        f"--output {text}: expected an absolute path, ~/FOLDER, or s3://... or gs://...: a job "
        "runs in a folder that is deleted after it."
    )


def _runtime_env(pip: bool, file: Path | None) -> dict[str, Any]:
    environment: dict[str, Any] = _read_mapping(file) if file is not None else {}
    if pip:
        environment["pip"] = [str(requirement) for requirement in _requirements()]
    return environment


def _requirements() -> "list[Requirement]":
    """List what our package needs, without Ray: the cluster's own must stay."""
    from packaging.requirements import Requirement

    try:
        texts = importlib.metadata.requires("scoot-ray") or []
    except importlib.metadata.PackageNotFoundError:
        raise ClusterError(
            "--pip reads the dependencies from the installed package scoot-ray, which is not "
            "installed here: pip install it, or write them into --runtime-env FILE.yaml."
        ) from None
    found = [Requirement(text) for text in texts]
    wanted = [r for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [requirement for requirement in wanted if requirement.name != "ray"]


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClusterError(f"--runtime-env {file}: cannot be read: {error}.") from None
    if not isinstance(data, dict):
        raise ClusterError(f"--runtime-env {file}: expected a mapping such as `pip: [...]`.")
    clashing = data.keys() & {"working_dir", "image_uri", "container"}
    if clashing:
        raise ClusterError(
            f"--runtime-env {file}: {', '.join(sorted(clashing))} cannot be here: a job brings its "
            "study along in a working directory, and Ray allows no other image beside one. Start "
            "the cluster's nodes from the image instead."
        )
    return data
