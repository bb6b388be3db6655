"""A study's result on the terminal and in its output folder."""

import sys
from typing import TYPE_CHECKING

from scoot_ray.cli.printing import print_table
from scoot_ray.control import control_of
from scoot_ray.core.journal import History
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.export import write_best
from scoot_ray.output import Output
from scoot_ray.report.tables import comparison_table, config_table, front_table
from scoot_ray.report.verdict import verdict

if TYPE_CHECKING:
    from scoot_ray.report.findings import Findings


def gather(study: Study, history: History, output: Output) -> "Findings":
    """Gather what a report is written from."""
    # What draws and fits takes seconds to import, and most commands do neither.
    from scoot_ray.report.findings import Findings
    from scoot_ray.report.logs import read_logs

    logs = read_logs(output, history.trials)
    return Findings.of(study, history, control_of(study, output), logs)


def write_files(findings: "Findings", output: Output) -> None:
    """Write report.html and best.yaml."""
    from scoot_ray.report.html import write_report

    write_report(findings, output.path / "report.html")
    write_best(findings.study, findings.result, output.path / "best.yaml")
    output.publish()


def print_result(result: Result) -> None:
    """Print the tables and the verdict."""
    for make in (front_table, config_table, comparison_table):
        print_table(make(result))
    sys.stdout.write(f"\n{verdict(result)}\nMeasured by: {result.measured_by}\n")
