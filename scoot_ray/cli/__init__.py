"""The command line. Every error that a person can mend is one message and exit status 2."""

import sys

import typer

from scoot_ray.cli.bench_command import bench
from scoot_ray.cli.calibration_command import calibrate
from scoot_ray.cli.cluster_commands import app as cluster_app
from scoot_ray.cli.engine_commands import simulate, stress
from scoot_ray.cli.export_command import export
from scoot_ray.cli.init_command import init
from scoot_ray.cli.jobs_commands import app as jobs_app
from scoot_ray.cli.serve_command import serve
from scoot_ray.cli.study_commands import check, report
from scoot_ray.cli.submit_command import submit
from scoot_ray.cli.traces_commands import app as traces_app
from scoot_ray.cli.tune_command import INTERRUPTED, tune
from scoot_ray.core.errors import ScootError

app = typer.Typer(
    help="Find good start-up parameters for an LLM inference engine.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for command in (check, tune, report, export, stress, simulate, calibrate, submit):
    app.command(no_args_is_help=True)(command)  # each needs an argument
app.command()(init)
app.command()(bench)
app.command()(serve)
app.add_typer(traces_app)
app.add_typer(jobs_app)
app.add_typer(cluster_app)


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
