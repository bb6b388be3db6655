"""How a benchmark is started: as with `scoot`, wrong input ends in one message and status 2."""

import sys
from collections.abc import Callable

import typer

from scoot_ray.core.errors import ScootError


def run_command(main: Callable[..., None]) -> None:
    """Call `main` with what the command line says."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except ScootError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
