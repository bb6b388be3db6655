"""The command that fits the simulator to a real engine."""

from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.cli.options import StudyFile, TraceFile, load
from scoot_ray.cli.printing import print_line, print_table
from scoot_ray.output_folder import make_folder


def calibrate(
    study_file: StudyFile,
    trace: TraceFile = None,
    fit: Annotated[
        int,
        typer.Option(
            help="Stress tests to fit to: the default with every degree, then others.",
            min=2,
        ),
    ] = 9,
    hold_out: Annotated[
        int, typer.Option(help="Further stress tests, which are predicted.", min=0)
    ] = 3,
    rounds: Annotated[
        int,
        typer.Option(
            help="How often each test runs, one round of all after the other; means count.", min=1
        ),
    ] = 1,
    duration: Annotated[
        float, typer.Option(help="Seconds of load of each stress test.", min=1.0)
    ] = 20.0,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for measurements and result; runs/NAME-calibration by default."),
    ] = None,
) -> None:
    """Fit the simulator to the study's engine, which is started for every stress test.

    Rates are 0.5, 1 and 1.5 times the study's, which should lie near saturation. What the output
    folder has measured already is not measured again.
    """
    from scoot_ray.calibrate import calibrate_study, comparison_table, describe_error

    study = load(study_file, trace)
    folder = output or Path("runs") / f"{study.name}-calibration"
    make_folder(folder)
    result = calibrate_study(
        study,
        folder,
        num_fitted=fit,
        num_held_out=hold_out,
        num_rounds=rounds,
        duration_s=duration,
        note=print_line,
    )
    print_table(comparison_table(result.comparisons))
    error = result.largest_held_out_error
    if error is not None:
        print_line(f"Largest error of what was held out: {describe_error(error)}")
    if rounds > 1:
        print_line(f"The engine itself moved by up to {result.largest_spread:.0%} between rounds.")
    print_line(f"Written: {result.path}; use it with `simulator: {{calibration: {result.path}}}`")
