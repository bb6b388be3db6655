"""A study's result on the terminal and in its output folder."""

import sys

from scoot_ray.cli.printing import print_table
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.export import write_best
from scoot_ray.output import Output
from scoot_ray.report.html import write_report
from scoot_ray.report.tables import comparison_table, config_table, front_table
from scoot_ray.report.verdict import verdict


def write_files(study: Study, result: Result, output: Output) -> None:
    """Write report.html and best.yaml."""
    write_report(study.name, result, output.path / "report.html")
    write_best(study, result, output.path / "best.yaml")
    output.publish()


def print_result(result: Result) -> None:
    """Print the tables and the verdict."""
    for make in (front_table, config_table, comparison_table):
        print_table(make(result))
    sys.stdout.write(f"\n{verdict(result)}\nMeasured by: {result.measured_by}\n")
