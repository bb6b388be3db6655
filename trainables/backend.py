"""What stands behind `engine.kind`: one variant for each, all behind the same questions.

Each variant imports its machinery when asked, so that a simulated trial never loads the HTTP
client, nor a served one the simulator.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from scoot_ray.core.failure import Phase
from scoot_ray.core.space import SearchSpace
from scoot_ray.core.study import Study
from trainables.engines.adapter import Adapter
from trainables.engines.running import Running, RunningEngine, authorization, server_url
from trainables.engines.sglang import Sglang
from trainables.engines.tensorrt_llm import TensorRtLlm
from trainables.engines.vllm import Vllm
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape, read_vocab_size
from trainables.phases import untold
from trainables.stress_test import StressTest

SIMULATED_TRIAL_S = 1.0


class Backend(Protocol):
    """Answer what depends on the kind of engine."""

    @property
    def adapter(self) -> Adapter:
        """The engine whose parameters are tuned and whose command is exported."""
        ...

    def stress_test(
        self, study: Study, folder: Path | None, entered: Callable[[Phase], None] = untold
    ) -> StressTest:
        """Return the stress test.

        Logs and request records go into `folder`, if there is one; `entered` is told of phases.
        """
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

    def stress_test(
        self, study: Study, folder: Path | None, entered: Callable[[Phase], None] = untold
    ) -> StressTest:
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
        """Check that the model, the accelerator and every parameter are known ones."""
        from trainables.simulator.config import EngineConfig
        from trainables.spaces import complete_config

        model = load_model_shape(study.engine.model)
        accelerator = find_accelerator(study.service.accelerator)
        EngineConfig.resolve(complete_config(study, space.default), model)
        return f"the embedded simulator, {model.name} on {accelerator.name}; nothing is started"


@dataclass(frozen=True)
class ServedBackend:
    """Servers that are started for each trial, over HTTP."""

    adapter: Adapter

    def stress_test(
        self, study: Study, folder: Path | None, entered: Callable[[Phase], None] = untold
    ) -> StressTest:
        """Return the stress test that starts the engine and replays over HTTP."""
        from trainables.engines.fleet import make_servers
        from trainables.session import ServedStressTest

        make_engine = partial(make_servers, self.adapter)
        return ServedStressTest(
            study, make_engine, folder=folder or _temporary_folder(), entered=entered
        )

    def has_logical_gpus(self, study: Study) -> bool:
        """Return true for CPU builds, whose tensor-parallel ranks are processes."""
        return study.service.is_cpu

    def takes_no_time(self, study: Study) -> bool:
        """Return false: an engine takes longer to start than an actor."""
        return False

    def trial_s(self, study: Study, space: SearchSpace) -> float:
        """Estimate start, load and stop, in real time."""
        from trainables.forecast import estimate_trial_s

        return estimate_trial_s(study, space)

    def check(self, study: Study, space: SearchSpace) -> str:
        """Check every tuned and fixed parameter against the installed engine's own arguments."""
        read_vocab_size(study.engine.model)  # the load client needs its vocabulary
        installed = self.adapter.installed(study.engine.python)
        parameters = [*space.names, *study.engine.fixed]
        installed.require_known(parameters)
        engine = f"{installed.name} {installed.version}"
        return f"{engine}, which knows all {len(parameters)} flags of the study"


class RunningBackend:
    """A server that somebody else started, over HTTP."""

    adapter: Adapter = Running()

    def stress_test(
        self, study: Study, folder: Path | None, entered: Callable[[Phase], None] = untold
    ) -> StressTest:
        """Return the stress test that replays over HTTP and starts nothing."""
        from trainables.session import ServedStressTest

        server_url(study.engine)
        authorization(study.engine)
        return ServedStressTest(
            study,
            lambda study, _, folder: RunningEngine(study, folder),
            folder=folder or _temporary_folder(),
            entered=entered,
        )

    def has_logical_gpus(self, study: Study) -> bool:
        """Return true: a stress test claims no GPU for a server that has its own."""
        return True

    def takes_no_time(self, study: Study) -> bool:
        """Return false: the load is sent in real time."""
        return False

    def trial_s(self, study: Study, space: SearchSpace) -> float:
        """Return the time of the load; nothing is started or stopped."""
        return study.workload.duration_s

    def check(self, study: Study, space: SearchSpace) -> str:
        """Say what would be measured."""
        return f"{self.adapter.name} at {server_url(study.engine)}; nothing is started"


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="scoot-trial-"))


BACKENDS: Mapping[str, Backend] = {
    "simulated": SimulatedBackend(),
    "vllm": ServedBackend(Vllm()),
    "sglang": ServedBackend(Sglang()),
    "tensorrt_llm": ServedBackend(TensorRtLlm()),
    "openai": RunningBackend(),
}


def make_stress_test(
    study: Study, *, folder: Path | None = None, entered: Callable[[Phase], None] = untold
) -> StressTest:
    """Return the stress test for the study's kind of engine.

    Args:
        study: The study.
        folder: Where the engine's log and the request records go. Without one a simulated trial
            writes nothing, and a served one writes into a temporary folder.
        entered: Is told of every phase that takes real time, as it begins.
    """
    return BACKENDS[study.engine.kind].stress_test(study, folder, entered)
