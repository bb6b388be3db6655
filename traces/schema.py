"""A trace: the requests of a service in the order of their arrival, and where they came from."""

from dataclasses import dataclass
from itertools import pairwise

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request


@dataclass(frozen=True)
class LeftOut:
    """Say how many rows of a source were left out, and why.

    Attributes:
        reason: One for all of these rows.
        num_rows: How many there are.
        examples: Where the first few stand, with what is wrong there.
    """

    reason: str
    num_rows: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if self.num_rows > len(self.examples) else ""
        return f"{self.num_rows:,} {self.reason}: {', '.join(self.examples)}{more}"


@dataclass(frozen=True)
class Trace:
    """Hold the requests of a service.

    Attributes:
        requests: Sorted by arrival, at least one.
        source: Path or URI as given by the user.
        sha256: Hash of the bytes it was read from (of the parameters, for a synthetic one).
        time_unit: Unit of the arrival column as read: "s", "ms", "us", "ns", "datetime" or "none".
        format: Name of the format that was detected or stated.
        unit_reason: How the unit is known.
        left_out: Rows of the source that could not be used (failures, empty answers, malformed).
        notes: What else a person should know of how it was read.
    """

    requests: tuple[Request, ...]
    source: str
    sha256: str
    time_unit: str
    format: str
    unit_reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.requests:
            raise TraceError(f"{self.source} holds no usable request.")
        arrivals = [request.arrival_s for request in self.requests]
        if any(later < earlier for earlier, later in pairwise(arrivals)):
            raise TraceError(f"{self.source}: requests are not sorted by arrival.")

    @property
    def num_dropped(self) -> int:
        """Count the rows that were left out."""
        return sum(group.num_rows for group in self.left_out)

    @property
    def span_s(self) -> float:
        """Seconds from the first arrival to the last."""
        return self.requests[-1].arrival_s - self.requests[0].arrival_s

    @property
    def rate_rps(self) -> float:
        """Mean request rate; 0 when the trace has no arrival times."""
        return (len(self.requests) - 1) / self.span_s if self.span_s > 0 else 0.0
