"""How one configuration is measured: engines, the load client, the simulator, failure labels.

`make_stress_test(study)` returns what measures; everything else here is behind it.
"""

from collections.abc import Callable
from pathlib import Path

from scoot_ray.core.failure import Phase
from scoot_ray.core.study import Study
from trainables.backend import BACKENDS
from trainables.phases import untold
from trainables.stress_test import StressTest


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
