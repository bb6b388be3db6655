"""How one configuration is measured: engines, the load client, the simulator, failure labels.

`make_stress_test(study)` returns what measures; everything else here is behind it.
"""

import tempfile
from pathlib import Path

from scoot_ray.core.study import Study
from trainables.backend import BACKENDS
from trainables.stress_test import StressTest


def make_stress_test(study: Study, *, folder: Path | None = None) -> StressTest:
    """Return the stress test for the study's kind of engine.

    Args:
        study: The study.
        folder: Where the engine's log and the request records go; a temporary one if None.
    """
    folder = folder or Path(tempfile.mkdtemp(prefix="scoot-trial-"))
    return BACKENDS[study.engine.kind].stress_test(study, folder)
