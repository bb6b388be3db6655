"""The command that compares search algorithms."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.cli.printing import print_line, print_table
from scoot_ray.core.errors import StudyError

SEPARATED = "comma-separated; * stands for any"


def bench(
    experiment: Annotated[
        str, typer.Argument(help="peers, forest, parallelism, vidur or quick: a set of defaults.")
    ] = "peers",
    services: Annotated[
        str | None, typer.Option(metavar="NAMES", help=f"What is tuned, {SEPARATED}.")
    ] = None,
    algorithms: Annotated[
        str | None, typer.Option(metavar="NAMES", help=f"What tunes it, {SEPARATED}.")
    ] = None,
    parallelism: Annotated[
        str | None, typer.Option(metavar="K,...", help="Trials at once, comma-separated.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Paired: 0, 1, 2, ...")] = None,
    observations: Annotated[
        int | None, typer.Option(min=2, help="Trials after the default.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for runs and tables; runs/bench-EXPERIMENT by default."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Searches at once; all cores by default.")
    ] = None,
    peers: Annotated[
        Path,
        typer.Option(metavar="PYTHON", help="The peers' interpreter; `make peers` sets it up."),
    ] = Path(".venv-peers/bin/python"),
    azure: Annotated[
        Path, typer.Option(metavar="CSV", help="The Azure trace; its services are skipped without.")
    ] = Path("../shared/data/azure_llm_2023_conv.csv"),
    vidur: Annotated[
        Path, typer.Option(metavar="DIR", help="Vidur's checkout, for the services on it.")
    ] = Path("../vidur"),
    list_names: Annotated[
        bool, typer.Option("--list", help="List services and algorithms, and do nothing.")
    ] = False,
    tables_only: Annotated[
        bool, typer.Option("--tables-only", help="Run nothing; tabulate what the folder has.")
    ] = False,
) -> None:
    """Compare search algorithms on simulated services: equal budgets, paired seeds, controls.

    An interrupted comparison goes on with the same command.
    """
    # Ours and their numerical libraries take seconds to import.
    from benchmarks.comparison import commands
    from benchmarks.comparison.catalogue import Sources
    from benchmarks.comparison.peer_process import PeerEnvironment

    sources = Sources(azure, vidur)
    if list_names:
        for name in commands.names(sources):
            print_line(name)
        return
    choice = commands.Choice(
        experiment=experiment,
        services=_split(services),
        algorithms=_split(algorithms),
        parallelism=_degrees(parallelism),
        seeds=seeds,
        observations=observations,
    )
    comparison = commands.plan(
        choice,
        folder=output or Path("runs") / f"bench-{experiment}",
        num_workers=workers or os.cpu_count() or 1,
        environment=PeerEnvironment(peers),
        sources=sources,
        note=print_line,
    )
    runs = comparison.runs() if tables_only else comparison.run(print_line)
    command = shlex.join(["scoot", *sys.argv[1:]])
    for table in commands.conclude(comparison, runs, command):
        print_table(table)
    print_line(f"Tables, data and plots: {comparison.folder}")


def _split(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))


def _degrees(text: str | None) -> tuple[int, ...] | None:
    parts = _split(text)
    if parts is None:
        return None
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise StudyError(
            f"--parallelism {text}: expected whole numbers from 1 on, such as 1,2,4,8."
        )
    return tuple(int(part) for part in parts)
