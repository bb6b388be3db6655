"""A trace: the requests of a service in the order of their arrival, and where they came from."""

from dataclasses import dataclass
from itertools import pairwise

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request


@dataclass(frozen=True)
class Trace:
    """Hold the requests of a service.

    Attributes:
        requests: Sorted by arrival, at least one.
        source: Path or URI as given by the user.
        sha256: Hash of the bytes it was read from (of the parameters, for a synthetic one).
        time_unit: Unit of the arrival column as read: "s", "ms", "datetime" or "none".
        format: Name of the format that was detected or stated.
        num_dropped: Rows of the source that could not be used (failures, empty answers).
    """

    requests: tuple[Request, ...]
    source: str
    sha256: str
    time_unit: str
    format: str
    num_dropped: int = 0

    def __post_init__(self) -> None:
        if not self.requests:
            raise TraceError(f"{self.source} holds no usable request.")
        arrivals = [request.arrival_s for request in self.requests]
        if any(later < earlier for earlier, later in pairwise(arrivals)):
            raise TraceError(f"{self.source}: requests are not sorted by arrival.")

    @property
    def span_s(self) -> float:
        """Seconds from the first arrival to the last."""
        return self.requests[-1].arrival_s - self.requests[0].arrival_s

    @property
    def rate_rps(self) -> float:
        """Mean request rate; 0 when the trace has no arrival times."""
        return (len(self.requests) - 1) / self.span_s if self.span_s > 0 else 0.0
