"""The commands before and after a study: check, look."""

import sys

from scoot_ray.cli.options import Address, StudyFile, StudyFolder, TraceFile, load
from scoot_ray.cli.results import print_result, write_files
from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import History
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study, parse_study
from scoot_ray.output import Output


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
    write_files(study, result, folder)
    print_result(result)
    sys.stdout.write(f"\nReport: {folder.where}/report.html\n")


def read_folder(folder: Output) -> tuple[Study, History]:
    """Read the study in a folder.

    Raises:
        OutputError: If there is none.
    """
    folder.fetch()
    journal = folder.journal
    if not journal.exists():
        raise OutputError(
            f"{folder.where} holds no study: expected a journal.jsonl. Give the folder that "
            "`scoot tune` wrote, such as runs/NAME."
        )
    history = journal.read()
    return parse_study(history.header["study"], str(journal.path)), history
