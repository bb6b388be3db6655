"""Arguments that several commands take, and how they are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from scoot_ray.cli.completion import complete_setting
from scoot_ray.core.errors import SpaceError
from scoot_ray.core.study import Study, absolute_trace, load_study
from scoot_ray.output import Output, open_output

StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY.yaml", help="The study file; `scoot init` writes one.")
]
StudyFolder = Annotated[
    Output,
    typer.Argument(metavar="DIR", help="A study's output folder or URI.", parser=open_output),
]
TraceFile = Annotated[
    str | None,
    typer.Option(metavar="TRACE", help="Replay this file or URI instead of the study file's."),
]
Address = Annotated[str, typer.Option(help='"local" starts Ray here; "auto" or ray://... joins.')]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter's value; repeatable.",
        autocompletion=complete_setting,
    ),
]
Seed = Annotated[int, typer.Option(help="Decides the arrival order.", min=0)]


def load(study_file: Path, trace: str | None) -> Study:
    """Read a study, with another trace if there is one."""
    study = load_study(study_file)
    if trace is None:
        return study
    workload = study.workload.model_copy(update={"trace": absolute_trace(trace, Path.cwd())})
    return study.model_copy(update={"workload": workload})


def parse_settings(texts: Sequence[str] | None, option: str = "--set") -> dict[str, Any]:
    """Read NAME=VALUE texts; values are YAML.

    Raises:
        SpaceError: If one is not of that form.
    """
    return dict(_parse_setting(text, option) for text in texts or ())


def _parse_setting(text: str, option: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise SpaceError(f"{option} {text}: expected NAME=VALUE, such as max_num_seqs=512.")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        raise SpaceError(f"{option} {text}: {value!r} is not a value.") from None
