"""The command line. Every error that a person can mend is one message and exit status 2."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table as RichTable

from scoot_ray.core.display import describe_config, format_duration
from scoot_ray.core.errors import OutputError, ScootError, SpaceError
from scoot_ray.core.journal import History, Journal
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study, load_study, parse_study
from scoot_ray.core.trial import TrialState, trial_seed
from scoot_ray.export import export as export_result
from scoot_ray.export import write_best
from scoot_ray.report.html import write_report
from scoot_ray.report.tables import (
    Table,
    comparison_table,
    config_table,
    front_table,
    metrics_table,
)
from scoot_ray.report.verdict import verdict

app = typer.Typer(
    help="Find good start-up parameters for an LLM inference engine.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
INTERRUPTED = 130
LOG_WIDTH = 140

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study file.")]
StudyFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A study's output folder.")]
TraceFile = Annotated[
    Path | None, typer.Option(help="Replay this trace instead of the study file's.")
]
Address = Annotated[str, typer.Option(help='"local" starts Ray here; "auto" or ray://... joins.')]


def main() -> None:
    """Run the command line; the entry point of `scoot`."""
    try:
        app()
    except ScootError as error:
        sys.stderr.write(f"scoot: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("scoot: interrupted; `scoot tune ... --resume` goes on with a study\n")
        sys.exit(INTERRUPTED)


@app.command()
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

    study = _load(study_file, trace)
    folder = output or Path("runs") / study.name
    tuning = tune_study(study, folder, address=address, resume=resume)
    _write_files(study, tuning.result, folder)
    _print_result(tuning.result)
    sys.stdout.write(f"\nReport: {folder / 'report.html'}   Best: {folder / 'best.yaml'}\n")
    if not tuning.is_finished:
        command = f"scoot tune {study_file} --output {folder} --resume"
        sys.stdout.write(f"Interrupted before its end; continue with: {command}\n")
        raise typer.Exit(INTERRUPTED)


@app.command()
def stress(
    study_file: StudyFile,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter's value; repeatable."),
    ] = None,
    trace: TraceFile = None,
    seed: Annotated[int, typer.Option(help="Decides the arrival order.")] = 0,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the engine's log; runs/NAME-stress by default.")
    ] = None,
) -> None:
    """Measure one configuration: the default, changed by --set."""
    from traces import load_trace
    from trainables import make_stress_test
    from trainables.spaces import make_space

    study = _load(study_file, trace)
    space = make_space(study)
    config = {**space.default, **dict(_parse_setting(text) for text in setting or [])}
    space.validate(config)
    requests = load_trace(study.workload.trace)
    folder = output or Path("runs") / f"{study.name}-stress"
    sys.stdout.write(f"{describe_config(config)}\n")
    outcome = make_stress_test(study, folder=folder).run(config, requests, trial_seed(seed, 0))
    phases = ", ".join(f"{name} {format_duration(s)}" for name, s in outcome.phases_s.items())
    sys.stdout.write(f"{outcome.state.value}   {phases}\n")
    if outcome.failure is not None:
        sys.stdout.write("\n".join([outcome.failure.message, *outcome.failure.log_tail, ""]))
    if outcome.state is not TrialState.COMPLETE:
        raise typer.Exit(1)
    _print_table(metrics_table(outcome.metrics))


@app.command()
def check(study_file: StudyFile, address: Address = "local", trace: TraceFile = None) -> None:
    """Check engine flags, trace, memory and cluster, without running a trial."""
    from scoot_ray.preflight import check_study

    for topic, finding in check_study(_load(study_file, trace), address=address):
        sys.stdout.write(f"{topic:<10} {finding}\n")
    sys.stdout.write("Nothing stands in the way of `scoot tune`.\n")


@app.command()
def report(folder: StudyFolder) -> None:
    """Write report.html and best.yaml again from the journal, and print the tables."""
    study, history = _read_folder(folder)
    result = Result.from_history(study, history)
    _write_files(study, result, folder)
    _print_result(result)
    sys.stdout.write(f"\nReport: {folder / 'report.html'}\n")


@app.command()
def export(
    folder: StudyFolder,
    to: Annotated[str, typer.Option(help="The form: command.")] = "command",
) -> None:
    """Print the recommended configuration in a form that can be used."""
    study, history = _read_folder(folder)
    result = Result.from_history(study, history)
    sys.stdout.write(export_result(study, result, to) + "\n")


def _load(study_file: Path, trace: Path | None) -> Study:
    study = load_study(study_file)
    if trace is None:
        return study
    workload = study.workload.model_copy(update={"trace": str(trace.absolute())})
    return study.model_copy(update={"workload": workload})


def _read_folder(folder: Path) -> tuple[Study, History]:
    journal = Journal(folder / "journal.jsonl")
    if not journal.exists():
        raise OutputError(
            f"{folder} holds no study: expected {journal.path}. Give the folder that "
            "`scoot tune` wrote, such as runs/NAME."
        )
    history = journal.read()
    return parse_study(history.header["study"], str(journal.path)), history


def _parse_setting(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise SpaceError(f"--set {text}: expected NAME=VALUE, such as --set max_num_seqs=512.")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        raise SpaceError(f"--set {text}: {value!r} is not a value.") from None


def _write_files(study: Study, result: Result, folder: Path) -> None:
    write_report(study.name, result, folder / "report.html")
    write_best(study, result, folder / "best.yaml")


def _print_result(result: Result) -> None:
    for make in (front_table, config_table, comparison_table):
        _print_table(make(result))
    sys.stdout.write(f"\n{verdict(result)}\nMeasured by: {result.measured_by}\n")


def _print_table(table: Table) -> None:
    rich_table = RichTable(title=table.title, title_justify="left")
    for heading in table.header:
        rich_table.add_column(heading, overflow="fold")
    for row in table.rows:
        rich_table.add_row(*row)
    # Rich takes 80 columns where there is no terminal, which folds every cell of a log file.
    width = None if sys.stdout.isatty() else LOG_WIDTH
    Console(markup=False, highlight=False, width=width).print(rich_table)
