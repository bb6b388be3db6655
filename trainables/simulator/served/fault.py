"""Faults on demand: what real engines do when they break, at a moment that the user chooses."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from scoot_ray.core.errors import UserError, did_you_mean
from scoot_ray.core.failure import Failure, Phase


class FaultKind(StrEnum):
    """What goes wrong."""

    DIE_AT_START = "die-at-start"
    SLOW_START = "slow-start"
    DIE_MID_LOAD = "die-mid-load"
    OUT_OF_MEMORY = "out-of-memory"
    HANG = "hang"


# What `:NUMBER` counts, and its value where none is given.
_UNITS = {
    FaultKind.DIE_AT_START: ("seconds", 1.0),
    FaultKind.SLOW_START: ("seconds", 30.0),
    FaultKind.DIE_MID_LOAD: ("requests", 10.0),
    FaultKind.OUT_OF_MEMORY: ("requests", 10.0),
    FaultKind.HANG: ("requests", 0.0),
}
_LAST_LINES = {
    FaultKind.DIE_AT_START: (
        "Traceback (most recent call last):",
        '  File "vllm/v1/engine/core.py", line 1050, in run_engine_core',
        "    engine_core = EngineCoreProc(*args, **kwargs)",
        "RuntimeError: simulated fault: the engine core did not come up",
        "RuntimeError: Engine core initialization failed. See root cause above. "
        "Failed core proc(s): {'EngineCore': 1}",
    ),
    FaultKind.DIE_MID_LOAD: (
        "EngineCore encountered a fatal error.",
        "Traceback (most recent call last):",
        '  File "vllm/v1/engine/core.py", line 1120, in run_busy_loop',
        "    self._process_engine_step()",
        "RuntimeError: simulated fault: the engine core stopped under load",
    ),
    FaultKind.OUT_OF_MEMORY: (
        "EngineCore encountered a fatal error.",
        "Traceback (most recent call last):",
        '  File "vllm/v1/worker/gpu_model_runner.py", line 3300, in execute_model',
        "    model_output = self._model_forward(",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. (simulated fault)",
    ),
}


@dataclass(frozen=True)
class Fault:
    """Name a fault and when it shows.

    Attributes:
        kind: What goes wrong; None for nothing.
        after: Seconds of start-up, or requests that are served before.
    """

    kind: FaultKind | None = None
    after: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `KIND` or `KIND:NUMBER`.

        Raises:
            UserError: Listing the kinds, if this is none.
        """
        name, separator, number = text.partition(":")
        try:
            kind = FaultKind(name)
        except ValueError:
            hint = did_you_mean(name, FaultKind)
            raise UserError(f"--fault {text}: expected one of {describe_faults()}.{hint}") from None
        unit, after = _UNITS[kind]
        if not separator:
            return cls(kind, after)
        if not number.isascii() or not number.isdecimal():
            raise UserError(f"--fault {text}: expected {kind}:NUMBER, a whole number of {unit}.")
        return cls(kind, float(number))

    @property
    def start_delay_s(self) -> float:
        """Seconds by which the fault prolongs the start."""
        return self.after if self.kind in (FaultKind.SLOW_START, FaultKind.DIE_AT_START) else 0.0

    @property
    def start_failure(self) -> Failure | None:
        """The failure that ends the start, if one does."""
        return self._failure(Phase.START) if self.kind is FaultKind.DIE_AT_START else None

    def failure(self, num_requests: int) -> Failure | None:
        """Return the failure that the latest of `num_requests` requests brings about, if any."""
        kills = self.kind in (FaultKind.DIE_MID_LOAD, FaultKind.OUT_OF_MEMORY)
        return self._failure(Phase.LOAD) if kills and num_requests > self.after else None

    def hangs(self, num_requests: int) -> bool:
        """Tell whether nothing is answered any more once `num_requests` requests have come."""
        return self.kind is FaultKind.HANG and num_requests > self.after

    def _failure(self, phase: Phase) -> Failure:
        assert self.kind is not None
        cause = "out_of_memory" if self.kind is FaultKind.OUT_OF_MEMORY else "engine_exited"
        return Failure(phase, cause, f"Fault {self.kind}.", _LAST_LINES[self.kind])


def describe_faults() -> str:
    """List the faults with what their number counts and its default."""
    return ", ".join(
        f"{kind}[:{_UNITS[kind][0].upper()}={_UNITS[kind][1]:g}]" for kind in FaultKind
    )
