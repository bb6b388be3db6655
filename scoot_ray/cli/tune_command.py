"""`scoot tune`: a study from its beginning, or from where it stopped."""

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scoot_ray.cli.options import Address, StudyFile, TraceFile, load
from scoot_ray.cli.results import gather, print_result, write_files
from scoot_ray.core.errors import StudyError
from scoot_ray.core.study import Study
from scoot_ray.output import open_output

if TYPE_CHECKING:
    from scoot_ray.closing import Closing, Unlimited

INTERRUPTED = 130
TO_BE_CONTINUED = 75
"""The window has closed or not opened: EX_TEMPFAIL, which means `try again later`."""
WAKE_UP_S = 60.0
"""Longest sleep while waiting: the clock may be set, or the machine be suspended."""


def tune(
    study_file: StudyFile,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Folder for the results, or s3://BUCKET/FOLDER or gs://BUCKET/FOLDER; "
            "runs/NAME by default.",
        ),
    ] = None,
    address: Address = "local",
    trace: TraceFile = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the folder's study.")
    ] = False,
    begin_or_resume: Annotated[
        bool,
        typer.Option("--begin-or-resume", help="Go on with the folder's study if it holds one."),
    ] = False,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Wait for the windows of `schedule:`, as many as the study needs. Without it, "
            f"the exit status is {TO_BE_CONTINUED} when the window closes or is not open.",
        ),
    ] = False,
) -> None:
    """Search for the best configuration, and confirm it."""
    # Ray and torch take seconds to import; commands that only read do without them.
    from scoot_ray.tuner import Ending, tune_study

    study = load(study_file, trace)
    folder = open_output(output or str(Path("runs") / study.name))
    may_resume = None if begin_or_resume else resume
    with folder.held():
        while True:
            closing = _window_to_run_in(study, wait=wait)
            tuning = tune_study(study, folder, address=address, resume=may_resume, closing=closing)
            write_files(gather(study, folder.journal.read(), folder), folder)
            if tuning.ending is not Ending.CLOSING or not wait:
                break
            may_resume = True
    print_result(tuning.result)
    sys.stdout.write(f"\nReport: {folder.where}/report.html   Best: {folder.where}/best.yaml\n")
    if tuning.ending is Ending.FINISHED:
        return
    command = f"scoot tune {study_file} --output {folder.where} --resume"
    sys.stdout.write(f"Stopped before its end: {tuning.ending.value}. Continue with: {command}\n")
    closed = tuning.ending is Ending.CLOSING
    raise typer.Exit(TO_BE_CONTINUED if closed else INTERRUPTED)


def _window_to_run_in(study: Study, *, wait: bool) -> "Closing | Unlimited":
    """Return the end of the window that is open; wait until one is, or end the process."""
    from cluster.offpeak import OffPeak
    from scoot_ray.closing import UNLIMITED, Closing, utc_now

    if study.schedule is None:
        return UNLIMITED
    offpeak = OffPeak(study.schedule)
    told = False
    while True:
        window = offpeak.window(utc_now())
        if window is None:
            raise StudyError("schedule: no window opens within a year; look at its exceptions.")
        if window.is_open(utc_now()):
            _say(f"The window is open until {offpeak.show(window.closes)}.")
            return Closing(study, window)
        if not told:
            _say(f"Outside the off-peak windows; the next opens {offpeak.show(window.opens)}.")
            told = True
        if not wait:
            raise typer.Exit(TO_BE_CONTINUED)
        remaining: timedelta = window.opens - utc_now()
        time.sleep(min(max(remaining.total_seconds(), 0.0), WAKE_UP_S))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
