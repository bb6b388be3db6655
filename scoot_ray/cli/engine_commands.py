"""The commands around one configuration: measure it, simulate it, look inside, serve it."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scoot_ray.cli.options import Seed, Settings, StudyFile, TraceFile, load, parse_settings
from scoot_ray.cli.printing import print_line, print_outcome, print_table
from scoot_ray.core.assignment import trial_seed
from scoot_ray.core.display import describe_config
from scoot_ray.core.errors import UserError
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import Study
from scoot_ray.output_folder import make_folder
from scoot_ray.report.quantities import watched_engines
from scoot_ray.report.sparklines import inside_table
from scoot_ray.report.tables import metrics_side_by_side, metrics_table
from scoot_ray.report.timeline_page import write_timeline_page
from scoot_ray.simulate import (
    Simulation,
    as_simulated,
    configure,
    describe_source,
    serve_simulated,
    simulate_all,
)
from trainables.simulator.served.address import Address
from trainables.simulator.served.fault import Fault, describe_faults


class Startup(StrEnum):
    """How long a served simulation takes to come up."""

    INSTANT = "instant"
    REAL = "real"


def stress(
    study_file: StudyFile,
    settings: Settings = None,
    trace: TraceFile = None,
    seed: Seed = 0,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the engine's log; runs/NAME-stress by default.")
    ] = None,
) -> None:
    """Measure one configuration: the default, changed by --set."""
    from traces import load_trace
    from trainables.backend import make_stress_test
    from trainables.spaces import make_space

    study = load(study_file, trace)
    space = make_space(study)
    config = {**space.default, **parse_settings(settings)}
    space.validate(config)
    requests = load_trace(study.workload.trace)
    folder = output or Path("runs") / f"{study.name}-stress"
    make_folder(folder)
    print_line(describe_config(config))
    outcome = make_stress_test(study, folder=folder).run(config, requests, trial_seed(seed, 0))
    print_outcome(outcome)
    if outcome.state is not TrialState.COMPLETE:
        raise typer.Exit(1)
    print_table(metrics_table(outcome.metrics))


def simulate(
    study_file: StudyFile,
    settings: Settings = None,
    trace: TraceFile = None,
    seed: Seed = 0,
    profile: Annotated[
        Path | None, typer.Option(help="Operator times, instead of the study's own.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Fitted constants, instead of the study's own.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for what is written; runs/NAME-simulate by default.")
    ] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw queues, batches, KV cache and steps over time.")
    ] = False,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE[,...]",
            help="Another configuration, as changes to the first, beside it; repeatable.",
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Offer one replica as an HTTP server, in real time.")
    ] = False,
    host: Annotated[str, typer.Option(help="With --serve: the interface.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="With --serve: 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    uds: Annotated[
        Path | None, typer.Option(help="With --serve: a Unix socket instead of a port.")
    ] = None,
    startup: Annotated[
        Startup, typer.Option(help="With --serve: ready at once, or when a real one would be.")
    ] = Startup.INSTANT,
    fault: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[:NUMBER]",
            help=f"With --serve: break like a real engine. One of {describe_faults()}; the number "
            "is seconds of start-up, or requests that are served before.",
        ),
    ] = None,
) -> None:
    """Run the embedded engine by itself, whatever engine the study names."""
    from traces import load_trace

    study = as_simulated(load(study_file, trace), profile, calibration)
    config = configure(study, parse_settings(settings))
    if serve:
        status = serve_simulated(
            study,
            config,
            Address(host, port, uds),
            fault=Fault.parse(fault) if fault else Fault(),
            takes_its_time=startup is Startup.REAL,
            seed=trial_seed(seed, 0),
        )
        raise typer.Exit(status)
    if fault is not None:
        raise UserError(f"--fault {fault}: only a served engine breaks on demand; add --serve.")
    configs = {" ".join(settings or ["default"]): config}
    for text in compare or []:
        changes = parse_settings(text.split(","), "--compare")
        configs[text] = configure(study, {**parse_settings(settings), **changes})
    folder = output or Path("runs") / f"{study.name}-simulate"
    make_folder(folder)
    simulations = simulate_all(
        study,
        configs,
        load_trace(study.workload.trace),
        trial_seed(seed, 0),
        folder=folder,
        is_watched=plot,
    )
    _print_simulations(simulations)
    print_line(describe_source(study, simulations[0].twin))
    if plot:
        _plot(study, simulations, folder / "timeline.html")
    if not all(simulation.is_complete for simulation in simulations):
        raise typer.Exit(1)


def _print_simulations(simulations: Sequence[Simulation]) -> None:
    for simulation in simulations:
        print_line(f"{simulation.label}: {describe_config(simulation.config)}")
        print_outcome(simulation.outcome)
    complete = {s.label: s.outcome.metrics for s in simulations if s.is_complete}
    if complete:
        print_table(metrics_side_by_side(complete))


def _plot(study: Study, simulations: Sequence[Simulation], path: Path) -> None:
    engines = [
        engine
        for simulation in simulations
        for engine in watched_engines(
            simulation.label, simulation.twin.config, simulation.timelines
        )
    ]
    if not engines:
        print_line("Nothing to draw: no engine came so far.")
        return
    for engine in engines:
        print_table(inside_table(engine))
    notes = [describe_source(study, simulations[0].twin)]
    notes += [f"{s.label}: {describe_config(s.config)}" for s in simulations]
    write_timeline_page(f"inside {study.name}", engines, notes, path)
    print_line(f"Plots: {path}")
