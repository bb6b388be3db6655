"""The unit of a trace's arrival times: the format's own, stated by the user, or asked for."""

from dataclasses import dataclass

from scoot_ray.core.errors import TraceError
from traces.source import Source

SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class TimeUnit:
    """Hold a unit and how it is known.

    Attributes:
        name: "s", "ms", "us", "ns", "datetime" (read as seconds), or "none": no arrival times.
        reason: How it is known, for people.
    """

    name: str
    reason: str

    @property
    def seconds(self) -> float:
        """Seconds in one unit."""
        return SECONDS_PER_UNIT.get(self.name, 1.0)


NO_TIMES = TimeUnit("none", "the format has no arrival times")


def stated_unit(source: Source) -> TimeUnit | None:
    """Return the unit that the URI states, if it does.

    Raises:
        TraceError: If it is not a unit.
    """
    name = source.options.get("unit")
    if name is None:
        return None
    if name not in SECONDS_PER_UNIT:
        *others, last = (f"unit={unit}" for unit in SECONDS_PER_UNIT)
        raise TraceError(
            f"Trace {source.uri}: unit={name}: expected {', '.join(others)} or {last}."
        )
    return TimeUnit(name, "stated in the URI")


def require_unit(source: Source, column: str, why: str) -> TimeUnit:
    """Return the stated unit of `column`, or ask for it.

    Raises:
        TraceError: If it is not stated, with `why` it cannot be known and what to write.
    """
    unit = stated_unit(source)
    if unit is None:
        raise TraceError(
            f"Trace {source.uri}: the unit of `{column}` is not clear ({why}). Write "
            f"{source.with_options(unit='ms')} or {source.with_options(unit='s')}."
        )
    return unit
