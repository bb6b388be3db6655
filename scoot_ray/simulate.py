"""The embedded engine by itself: a study's service in virtual time, whatever engine it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scoot_ray.core.errors import UserError
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from traces.schema import Trace
from trainables.model import load_model_shape
from trainables.simulator.config import EngineConfig
from trainables.simulator.served.address import Address
from trainables.simulator.served.fault import Fault
from trainables.simulator.stress_test import SimulatedStressTest
from trainables.simulator.timeline import Timeline
from trainables.simulator.twin import Twin
from trainables.spaces import make_space


@dataclass(frozen=True)
class Simulation:
    """Hold what came of one simulated configuration.

    Attributes:
        label: Sets it apart from others.
        config: All tuned parameters and those that were set.
        twin: What was simulated.
        outcome: How the stress test ended.
        timelines: What went on inside during the load, one per engine; empty if nobody watched.
    """

    label: str
    config: Config
    twin: Twin
    outcome: Outcome
    timelines: Sequence[Timeline]

    @property
    def is_complete(self) -> bool:
        """Tell whether there are metrics."""
        return self.outcome.state is TrialState.COMPLETE


def as_simulated(
    study: Study, profile: Path | None = None, calibration: Path | None = None
) -> Study:
    """Return the study with the embedded engine in the place of its own.

    Args:
        study: Of any kind of engine.
        profile: Operator times to use instead of the study's own.
        calibration: Constants to use instead of the study's own.

    Raises:
        UserError: If one of the files is not there.
    """
    files = {"profile": profile, "calibration": calibration}
    given = {key: str(_existing(key, path)) for key, path in files.items() if path is not None}
    return study.model_copy(
        update={
            "engine": study.engine.model_copy(update={"kind": "simulated"}),
            "simulator": study.simulator.model_copy(update=given),
        }
    )


def _existing(key: str, path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"--{key} {path}: there is no such file.")
    return path.resolve()


def configure(study: Study, settings: Mapping[str, Any]) -> Config:
    """Return the study's default configuration with some parameters set.

    Any value that the engine takes is allowed, also outside of the search space: asking "what if"
    is not searching.

    Raises:
        EngineError: If the engine has no such parameter, or it does not take the value.
        StudyError: If the model's shape is not known.
    """
    EngineConfig.resolve(settings, load_model_shape(study.engine.model))
    return {**make_space(study).default, **settings}


def simulate_all(
    study: Study,
    configs: Mapping[str, Config],
    trace: Trace,
    seed: int,
    *,
    folder: Path,
    is_watched: bool = False,
) -> list[Simulation]:
    """Run one stress test on the embedded engine for each configuration, all with the same load.

    Args:
        study: As `as_simulated` returns it.
        configs: Configurations by label, at least one.
        trace: The service's requests.
        seed: Decides the arrival order and the jitter of steps.
        folder: Receives engine.log and requests.parquet of each, those of all but the first in
            numbered subfolders.
        is_watched: Note every step.

    Raises:
        EngineError: If the engine has no such parameter, or it does not take the value.
        StudyError: If the model, the accelerator or a file of `simulator:` does not fit.
    """
    simulations = []
    # All twins before the first test: a mistake in the last configuration is told at once.
    twins = {label: Twin.of(study, config) for label, config in configs.items()}
    for number, (label, config) in enumerate(configs.items()):
        stress_test = SimulatedStressTest(study, folder / str(number) if number else folder)
        if is_watched:
            outcome, timelines = stress_test.watch(config, trace, seed)
        else:
            outcome, timelines = stress_test.run(config, trace, seed), []
        simulations.append(Simulation(label, config, twins[label], outcome, timelines))
    return simulations


def describe_source(study: Study, twin: Twin) -> str:
    """Say where the numbers of a simulation come from."""
    files = study.simulator
    sources = [f"operator times of {files.profile}"] if files.profile else []
    sources += [f"constants of {files.calibration}"] if files.calibration else []
    size = twin.config.tensor_parallel_size
    return (
        f"Simulated: {twin.memory.model.name} on {size} x {twin.memory.accelerator.name} in "
        f"virtual time, with {' and '.join(sources) or 'published hardware numbers'}; no engine "
        "was started."
    )


def serve_simulated(
    study: Study,
    config: Config,
    address: Address,
    *,
    fault: Fault,
    takes_its_time: bool,
    seed: int,
) -> int:
    """Serve one replica over HTTP until it dies or a signal ends it; return the exit status.

    Args:
        study: As `as_simulated` returns it.
        config: The configuration.
        address: Where to listen.
        fault: What goes wrong.
        takes_its_time: Be ready after the real start-up time rather than at once.
        seed: Decides the jitter of steps.

    Raises:
        UserError: As `simulate`, or if the address cannot be had.
    """
    from trainables.simulator.served.process import serve

    twin = Twin.of(study, config)
    startup_s = twin.start_s if takes_its_time else 0.0
    return serve(twin, study.engine.model, address, fault=fault, startup_s=startup_s, seed=seed)
