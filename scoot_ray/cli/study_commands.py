"""The commands before and after a study: check, look."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from scoot_ray.cli.options import Address, StudyFile, StudyFolder, TraceFile, load
from scoot_ray.cli.results import gather, print_result, write_files
from scoot_ray.control import control_output, control_study
from scoot_ray.core.journal import History
from scoot_ray.core.study import Study, parse_study
from scoot_ray.output import Output


def check(study_file: StudyFile, address: Address = "local", trace: TraceFile = None) -> None:
    """Check engine flags, trace, memory and cluster, without running a trial."""
    from scoot_ray.preflight import check_study

    for topic, finding in check_study(load(study_file, trace), address=address):
        sys.stdout.write(f"{topic:<10} {finding}\n")
    sys.stdout.write("Nothing stands in the way of `scoot tune`.\n")


class Format(StrEnum):
    """What `scoot report` writes."""

    HTML = "html"
    MARKDOWN = "markdown"
    SVG = "svg"
    PNG = "png"


def report(
    folder: StudyFolder,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="html: report.html and best.yaml, with the tables printed; markdown: printed, "
            "for a pull request; svg or png: the figures, in DIR/figures.",
        ),
    ] = Format.HTML,
    control: Annotated[
        bool,
        typer.Option(
            "--control", help="First run a random search with the same budget (simulated studies)."
        ),
    ] = False,
) -> None:
    """Write the report of a study from its journal."""
    # What draws and fits takes seconds to import.
    from scoot_ray.report.figure_list import write_figures
    from scoot_ray.report.markdown import render_markdown

    study, history = read_folder(folder)
    if control:
        _run_control(study, folder)
    findings = gather(study, history, folder)
    match form:
        case Format.HTML:
            write_files(findings, folder)
            print_result(findings.result)
            sys.stdout.write(f"\nReport: {folder.where}/report.html\n")
        case Format.MARKDOWN:
            sys.stdout.write(render_markdown(findings))
        case Format.SVG | Format.PNG:
            for path in write_figures(findings, folder.path / "figures", form.value):
                sys.stdout.write(f"{path}\n")


def _run_control(study: Study, folder: Output) -> None:
    """Run the control, or what is missing of it."""
    from scoot_ray.tuner import tune_study

    output = control_output(folder)
    with output.held():
        tune_study(control_study(study), output, resume=None)


def read_folder(folder: Output) -> tuple[Study, History]:
    """Read the study in a folder.

    Raises:
        OutputError: If there is none.
    """
    history = folder.history()
    return parse_study(history.header["study"], str(folder.journal.path)), history
