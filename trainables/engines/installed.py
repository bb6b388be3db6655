"""What an installed engine says about itself, asked before a study costs anything."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from scoot_ray.core.errors import EngineError


@dataclass(frozen=True)
class InstalledEngine:
    """Name an installed engine's version and the parameters it takes.

    Attributes:
        name: As people call it.
        version: As it reports it.
        parameters: Names of its own arguments, with underscores.
    """

    name: str
    version: str
    parameters: frozenset[str]

    def require_known(self, parameters: Iterable[str]) -> None:
        """Check that the engine takes every one of `parameters`.

        Raises:
            EngineError: Naming each unknown one, the version, and what may have been meant.
        """
        unknown = [name for name in parameters if name not in self.parameters]
        if unknown:
            complaints = "; ".join(f"{name}{self._did_you_mean(name)}" for name in unknown)
            raise EngineError(
                f"{self.name} {self.version} does not know: {complaints}. Remove it from the "
                "study's space or engine.fixed, or install the version that has it."
            )

    def _did_you_mean(self, name: str) -> str:
        close = difflib.get_close_matches(name, sorted(self.parameters), n=1)
        return f" (did you mean {close[0]}?)" if close else ""
