"""`scoot cluster`: what a cluster is made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scoot_ray.cli.options import Settings, TraceFile, load, parse_settings
from scoot_ray.cli.printing import print_line
from scoot_ray.core.errors import OutputError, StudyError
from scoot_ray.core.study import Study

if TYPE_CHECKING:
    from cluster.manifests.tenant import Tenant

app = typer.Typer(name="cluster", help="Manifests of clusters on which studies run.")


@app.callback()
def _cluster() -> None:
    """Keep `render` a command of its own, beside which others may come."""


@app.command()
def render(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="aws, gcp, raycluster, rayjob or dockerfile.")
    ],
    study_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[STUDY.yaml]", help="Sizes the cluster; rayjob brings it along and runs it."
        ),
    ] = None,
    trace: TraceFile = None,
    settings: Settings = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write files here instead of printing them.")
    ] = None,
) -> None:
    """Print or write manifests: Ray's cluster launcher, KubeRay, an image."""
    from cluster.manifests import render as render_kind

    tenant = None if study_file is None else _tenant(load(study_file, trace))
    files = render_kind(kind, parse_settings(settings), tenant)
    if output is None:
        print_line("---\n".join(files.values()).rstrip("\n"))
        return
    clashing = [name for name in files if (output / name).exists()]
    if clashing:
        raise OutputError(f"{output / clashing[0]} exists and is not overwritten; remove it first.")
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (output / name).write_text(text, encoding="utf-8")
            print_line(f"Written: {output / name}")
    except OSError as error:
        raise OutputError(f"Cannot write to {output}: {error.strerror}.") from None


def _tenant(study: Study) -> "Tenant":
    from cluster.manifests.tenant import Tenant
    from scoot_ray.plan import Plan
    from trainables.engines.launch import recorded_study

    if recorded_study(study) != study.model_dump(mode="json"):
        raise StudyError(
            "engine: the study holds a secret, and a manifest is no place for one. Leave it out of "
            "the study, put it into a Secret of the cluster, and name that: --set secret=NAME."
        )
    return Tenant(study, max(Plan.of(study).bundle_sizes))
