"""The commands around a study: search, look, use."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.cli.options import Address, StudyFile, StudyFolder, TraceFile, load
from scoot_ray.cli.printing import print_table
from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import History, Journal
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study, parse_study
from scoot_ray.export import write_best
from scoot_ray.report.html import write_report
from scoot_ray.report.tables import comparison_table, config_table, front_table
from scoot_ray.report.verdict import verdict

INTERRUPTED = 130


def tune(
    study_file: StudyFile,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results; runs/NAME by default.")
    ] = None,
    address: Address = "local",
    trace: TraceFile = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the folder's study.")
    ] = False,
) -> None:
    """Search for the best configuration, and confirm it."""
    # Ray and torch take seconds to import; commands that only read do without them.
    from scoot_ray.tuner import tune_study

    study = load(study_file, trace)
    folder = output or Path("runs") / study.name
    tuning = tune_study(study, folder, address=address, resume=resume)
    _write_files(study, tuning.result, folder)
    _print_result(tuning.result)
    sys.stdout.write(f"\nReport: {folder / 'report.html'}   Best: {folder / 'best.yaml'}\n")
    if not tuning.is_finished:
        command = f"scoot tune {study_file} --output {folder} --resume"
        sys.stdout.write(f"Interrupted before its end; continue with: {command}\n")
        raise typer.Exit(INTERRUPTED)


def check(study_file: StudyFile, address: Address = "local", trace: TraceFile = None) -> None:
    """Check engine flags, trace, memory and cluster, without running a trial."""
    from scoot_ray.preflight import check_study

    for topic, finding in check_study(load(study_file, trace), address=address):
        sys.stdout.write(f"{topic:<10} {finding}\n")
    sys.stdout.write("Nothing stands in the way of `scoot tune`.\n")


def report(folder: StudyFolder) -> None:
    """Write report.html and best.yaml again from the journal, and print the tables."""
    study, history = read_folder(folder)
    result = Result.from_history(study, history)
    _write_files(study, result, folder)
    _print_result(result)
    sys.stdout.write(f"\nReport: {folder / 'report.html'}\n")


def read_folder(folder: Path) -> tuple[Study, History]:
    """Read the study in a folder.

    Raises:
        OutputError: If there is none.
    """
    journal = Journal(folder / "journal.jsonl")
    if not journal.exists():
        raise OutputError(
            f"{folder} holds no study: expected {journal.path}. Give the folder that "
            "`scoot tune` wrote, such as runs/NAME."
        )
    history = journal.read()
    return parse_study(history.header["study"], str(journal.path)), history


def _write_files(study: Study, result: Result, folder: Path) -> None:
    write_report(study.name, result, folder / "report.html")
    write_best(study, result, folder / "best.yaml")


def _print_result(result: Result) -> None:
    for make in (front_table, config_table, comparison_table):
        print_table(make(result))
    sys.stdout.write(f"\n{verdict(result)}\nMeasured by: {result.measured_by}\n")
