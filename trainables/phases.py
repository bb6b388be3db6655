"""The phases of a stress test: which one is going on, and how long each took."""

from collections.abc import Iterator
from contextlib import contextmanager

from scoot_ray.core.trial import Phase
from trainables.clock import Clock


class PhaseTimer:
    """Follow a stress test through its phases.

    Attributes:
        current: The phase that was entered last.
        seconds: Time spent in each phase entered so far, by name.
    """

    def __init__(self, clock: Clock) -> None:
        self.current = Phase.START
        self.seconds: dict[str, float] = {}
        self._clock = clock

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Time what happens inside as `phase`, also when it fails."""
        self.current = phase
        start_s = self._clock.now()
        try:
            yield
        finally:
            self.seconds[phase.value] = self._clock.now() - start_s
