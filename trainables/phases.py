"""The phases of a stress test: which one is going on, and how long each took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scoot_ray.core.failure import Phase
from trainables.clock import Clock

READINESS = "readiness"
"""Name under which the later part of the start is timed, from launch to the first good /health."""


def untold(phase: Phase) -> None:
    """Tell nobody which phase was entered."""


class PhaseTimer:
    """Follow a stress test through its phases.

    Args:
        clock: What it is timed by.
        entered: Is told of every phase that is entered.

    Attributes:
        current: The phase that was entered last.
        seconds: Time spent so far, by name.
    """

    def __init__(self, clock: Clock, entered: Callable[[Phase], None] = untold) -> None:
        self.current = Phase.START
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._entered = entered

    @contextmanager
    def phase(self, phase: Phase, *, timed_as: str | None = None) -> Iterator[None]:
        """Time what happens inside as `phase`, or as a part of it, also when it fails."""
        self.current = phase
        self._entered(phase)
        name = timed_as or phase.value
        start_s = self._clock.now()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self._clock.now() - start_s
