"""The seam behind which an inference engine is started and stopped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from scoot_ray.core.space import Config
from trainables.engines.endpoint import Endpoint
from trainables.failure import FailureRule


class Engine(Protocol):
    """Serve one configuration at a time; used as start, wait_exit (meanwhile), stop."""

    @property
    def log(self) -> Path:
        """The file that everything the engine prints goes to."""
        ...

    @property
    def failure_rules(self) -> Sequence[FailureRule]:
        """What the engine's log says when a known failure happens, most telling rule first."""
        ...

    async def start(self, config: Config) -> Endpoint:
        """Launch the engine and return at once; it is ready when its endpoint is healthy."""
        ...

    async def wait_exit(self) -> int | None:
        """Return the exit status as soon as the engine's main process is gone; None if unknown."""
        ...

    async def stop(self) -> None:
        """End the engine and all processes that it started; does nothing before `start`.

        Raises:
            InfrastructureError: If processes are left.
        """
        ...
