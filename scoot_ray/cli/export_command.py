"""`scoot export`: what was found, in the form in which it is used."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.cli.completion import complete_form
from scoot_ray.cli.options import StudyFolder
from scoot_ray.cli.study_commands import read_folder
from scoot_ray.core.errors import OutputError
from scoot_ray.core.objective import Objective, require_metric
from scoot_ray.export import FORMS
from scoot_ray.export import export as write_as
from scoot_ray.export.condition import Condition
from scoot_ray.export.reading import choose
from scoot_ray.export.selection import Selection


def export(
    folder: StudyFolder,
    to: Annotated[
        str,
        typer.Option(
            metavar="FORM",
            help=f"The form: {', '.join(FORMS)}.",
            autocompletion=complete_form,
        ),
    ] = "command",
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: Annotated[
        int | None,
        typer.Option(metavar="INDEX", help="Another trial, by its number in the front's table."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION", help='What it must meet, as "ttft_p99_s < 0.5"; repeatable.'
        ),
    ] = None,
    minimize: Annotated[
        str | None, typer.Option(metavar="METRIC", help="Take the trial with the lowest METRIC.")
    ] = None,
    maximize: Annotated[
        str | None, typer.Option(metavar="METRIC", help="Take the trial with the highest METRIC.")
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Take a study that has not ended.")
    ] = False,
) -> None:
    """Print the recommended configuration, or another one, in a form that can be used."""
    conditions = tuple(Condition.parse(text) for text in where or ())
    selection = Selection(config, conditions, _target(minimize, maximize))
    study, history = read_folder(folder)
    text = write_as(choose(study, history, folder.journal, selection, unfinished=unfinished), to)
    if output is None:
        sys.stdout.write(text)
    else:
        _write(text, output, force=force)


def _target(minimize: str | None, maximize: str | None) -> Objective | None:
    if minimize is not None and maximize is not None:
        raise OutputError("Give either --minimize or --maximize, not both.")
    if minimize is not None:
        return Objective(require_metric(minimize), "min")
    return None if maximize is None else Objective(require_metric(maximize), "max")


def _write(text: str, path: Path, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(f"{path} exists already; overwrite it with --force.") from None
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None
