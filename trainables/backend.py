"""What stands behind `engine.kind`: one variant for each, all behind the same questions.

Each variant imports its machinery when asked, so that a simulated trial never loads the HTTP
client, nor a served one the simulator.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scoot_ray.core.errors import StudyError
from scoot_ray.core.space import SearchSpace
from scoot_ray.core.study import Study
from trainables.engines.adapter import Adapter
from trainables.engines.vllm import Vllm
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.stress_test import StressTest

SIMULATED_TRIAL_S = 1.0


class Backend(Protocol):
    """Answer what depends on the kind of engine."""

    @property
    def adapter(self) -> Adapter:
        """The engine whose parameters are tuned and whose command is exported."""
        ...

    def stress_test(self, study: Study, folder: Path | None) -> StressTest:
        """Return the stress test; logs and request records go into `folder`, if there is one."""
        ...

    def has_logical_gpus(self, study: Study) -> bool:
        """Tell whether trials claim GPUs that only Ray counts."""
        ...

    def takes_no_time(self, study: Study) -> bool:
        """Tell whether trials are shorter than the start of an actor, which is used again then."""
        ...

    def trial_s(self, study: Study, space: SearchSpace) -> float:
        """Estimate the seconds that a trial takes."""
        ...

    def check(self, study: Study, space: SearchSpace) -> str:
        """Check that the engine knows what the study sets, and say what was found.

        Raises:
            EngineError: If the engine is not installed or does not know a parameter.
        """
        ...


class SimulatedBackend:
    """The embedded simulator, in virtual time; it is a twin of vLLM."""

    adapter: Adapter = Vllm()

    def stress_test(self, study: Study, folder: Path | None) -> StressTest:
        """Return the simulated stress test."""
        from trainables.simulator.paced import PacedStressTest
        from trainables.simulator.stress_test import SimulatedStressTest

        stress_test = SimulatedStressTest(study, folder)
        pace = study.simulator.pace
        return PacedStressTest(stress_test, pace) if pace else stress_test

    def has_logical_gpus(self, study: Study) -> bool:
        """Return true: nothing runs on the GPUs that a simulated trial claims."""
        return True

    def takes_no_time(self, study: Study) -> bool:
        """Return true unless simulated time is stretched to real time."""
        return study.simulator.pace == 0

    def trial_s(self, study: Study, space: SearchSpace) -> float:
        """Return what a simulated trial takes, its actor and bundle included."""
        return SIMULATED_TRIAL_S

    def check(self, study: Study, space: SearchSpace) -> str:
        """Check that the model and the accelerator are known ones."""
        model = load_model_shape(study.engine.model)
        accelerator = find_accelerator(study.service.accelerator)
        return f"the embedded simulator, {model.name} on {accelerator.name}; nothing is started"


@dataclass(frozen=True)
class ServedBackend:
    """A server that is started for each trial, over HTTP."""

    adapter: Adapter

    def stress_test(self, study: Study, folder: Path | None) -> StressTest:
        """Return the stress test that starts the engine and replays over HTTP."""
        from trainables.session import ServedStressTest

        _require_one_replica(study)
        folder = folder or Path(tempfile.mkdtemp(prefix="scoot-trial-"))
        return ServedStressTest(study, self.adapter, folder=folder)

    def has_logical_gpus(self, study: Study) -> bool:
        """Return true for CPU builds, whose tensor-parallel ranks are processes."""
        return study.service.accelerator.upper() == "CPU"

    def takes_no_time(self, study: Study) -> bool:
        """Return false: an engine takes longer to start than an actor."""
        return False

    def trial_s(self, study: Study, space: SearchSpace) -> float:
        """Estimate start, load and stop, in real time."""
        from trainables.forecast import estimate_trial_s

        return estimate_trial_s(study, space)

    def check(self, study: Study, space: SearchSpace) -> str:
        """Check every tuned and fixed parameter against the installed engine's own arguments."""
        _require_one_replica(study)
        load_model_shape(study.engine.model)  # the load client needs its vocabulary
        installed = self.adapter.installed(study.engine.python)
        parameters = [*space.names, *study.engine.fixed]
        installed.require_known(parameters)
        engine = f"{installed.name} {installed.version}"
        return f"{engine}, which knows all {len(parameters)} flags of the study"


def _require_one_replica(study: Study) -> None:
    if study.service.replicas != "one":
        raise StudyError(
            f"service.replicas: {study.service.replicas} is for engine.kind: simulated; a real "
            "engine is measured as one of its replicas, with its part of the traffic. Write `one`."
        )


BACKENDS: Mapping[str, Backend] = {
    "simulated": SimulatedBackend(),
    "vllm": ServedBackend(Vllm()),
}
