"""What a load client tells of a load that is still running."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scoot_ray.core.partial_load import InFlight
from scoot_ray.core.request import RequestRecord


@dataclass(frozen=True)
class Progress:
    """Tell how far a load has come.

    Attributes:
        now_s: The moment that it describes, in seconds from the start of the load.
        ended: Requests that have ended since the last time, by their places in the load.
        in_flight: All that were sent and have not ended.
    """

    now_s: float
    ended: Sequence[tuple[int, RequestRecord]]
    in_flight: Sequence[InFlight]

    def renumbered(self, first: int, step: int) -> "Progress":
        """Return the same of a load in which the n-th request is number `first + n * step`."""
        return Progress(
            self.now_s,
            [(first + index * step, record) for index, record in self.ended],
            [replace(one, index=first + one.index * step) for one in self.in_flight],
        )
