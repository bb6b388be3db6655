"""Known constraints: rules about a configuration that are stated before any trial runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scoot_ray.core.errors import SpaceError


@dataclass(frozen=True)
class KnownConstraint:
    """State a rule that every configuration of a space must satisfy.

    Attributes:
        name: A short identifier, unique in its space.
        predicate: `predicate(config) -> bool`, true when the rule holds.
        reason: Why the rule exists, for the person whose configuration breaks it.
    """

    name: str
    predicate: Callable[[Mapping[str, Any]], bool]
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise SpaceError("A known constraint needs a name; it has an empty one.")
        if not callable(self.predicate):
            raise SpaceError(
                f"Known constraint {self.name!r}: expected a callable predicate, "
                f"got {type(self.predicate).__name__}."
            )

    def holds(self, config: Mapping[str, Any]) -> bool:
        """Tell whether `config` satisfies the rule."""
        return bool(self.predicate(config))
