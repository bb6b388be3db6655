"""What went wrong in a trial, and in which of its phases."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

AT_FIRST = "Run again, because at first: "
"""How a person is told of a failure that a second try may have mended."""


class Phase(StrEnum):
    """The phases of a stress test, in order."""

    START = "start"
    WARM_UP = "warm-up"
    LOAD = "load"
    DRAIN = "drain"
    STOP = "stop"


@dataclass(frozen=True)
class Failure:
    """Say in which phase a trial failed, from what cause, and what the engine said last.

    Attributes:
        phase: Where it happened.
        cause: A short identifier from the failure rules, such as "out_of_memory".
        message: One sentence for a person, with advice where there is any.
        log_tail: The engine's own last lines.
        fatal: No configuration of this study can succeed (missing weights, unknown flag), so
            the study should stop.
    """

    phase: Phase
    cause: str
    message: str
    log_tail: tuple[str, ...] = ()
    fatal: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping for the journal."""
        return {
            "phase": self.phase.value,
            "cause": self.cause,
            "message": self.message,
            "log_tail": list(self.log_tail),
            "fatal": self.fatal,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Failure":
        """Rebuild what `to_json` wrote."""
        return cls(
            phase=Phase(data["phase"]),
            cause=data["cause"],
            message=data["message"],
            log_tail=tuple(data.get("log_tail", ())),
            fatal=bool(data.get("fatal", False)),
        )


def failure_of(record: Mapping[str, Any], key: str) -> Failure | None:
    """Rebuild the failure that `to_json` wrote under `key`; None if there was none."""
    return Failure.from_json(record[key]) if record.get(key) else None
