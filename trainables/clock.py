"""Time, passed in everywhere so that one loop serves real and simulated time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tell the time in seconds from an arbitrary origin, and wait."""

    def now(self) -> float:
        """Return seconds since the clock's origin."""
        ...

    async def sleep_until(self, time_s: float) -> None:
        """Return once `now()` has reached `time_s`."""
        ...


class WallClock:
    """Real, monotonic time.

    Args:
        origin_s: Where the clock is 0, on the system's own clock; its creation unless given.
    """

    def __init__(self, origin_s: float | None = None) -> None:
        self._origin_s = time.perf_counter() if origin_s is None else origin_s

    def now(self) -> float:
        """Return seconds since the origin."""
        return time.perf_counter() - self._origin_s

    async def sleep_until(self, time_s: float) -> None:
        """Sleep until `now()` has reached `time_s`."""
        # uvloop rounds to milliseconds, so that a sleep may end before its time.
        while (delay_s := time_s - self.now()) > 0:  # noqa: ASYNC110, it waits for time alone
            await asyncio.sleep(delay_s)


class VirtualClock:
    """Time that moves only when somebody waits."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        """Return virtual seconds."""
        return self._now_s

    async def sleep_until(self, time_s: float) -> None:
        """Jump to `time_s` unless it has passed."""
        self._now_s = max(self._now_s, time_s)
