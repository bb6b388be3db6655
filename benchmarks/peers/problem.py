"""What a peer is asked: a box, what was measured in it, what is being measured.

symbol   meaning                                            shape
d        dimensions of the box
point    a real dimension's value is in [0, 1], any other's  [d]
         is the index of one of its values
losses   smaller is better; None where the trial crashed     [m]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Point = list[float]


@dataclass(frozen=True)
class Dimension:
    """Describe an axis of the box.

    Attributes:
        kind: "real", "ordinal" (values in an order) or "choice".
        num_values: Values of a dimension that is not real, else 0.
    """

    kind: str
    num_values: int = 0

    @property
    def indices(self) -> list[int]:
        """List the indices of the values."""
        return list(range(self.num_values))


@dataclass(frozen=True)
class Problem:
    """Ask for one more point.

    Attributes:
        seed: Decides, with the rest, the answer.
        budget: Observations that the search will have.
        points: What was measured, in the order of completion, shape [n, d].
        losses: Results, shape [n, m], None for a crash; at least one is not None.
        pending: Points that are being measured, shape [p, d].
        reference: Losses of the default configuration, shape [m].
    """

    dimensions: list[Dimension]
    seed: int
    budget: int
    points: list[Point]
    losses: list[list[float] | None]
    pending: list[Point]
    reference: list[float]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Problem:
        """Read what `comparison.peer_process` wrote."""
        dimensions = [Dimension(**item) for item in data.pop("dimensions")]
        return cls(dimensions=dimensions, **data)

    @property
    def names(self) -> list[str]:
        """Name the dimensions, since tools want names."""
        return [f"x{i}" for i in range(len(self.dimensions))]

    @property
    def num_objectives(self) -> int:
        """Count the objectives."""
        return len(self.reference)

    @property
    def penalised(self) -> list[list[float]]:
        """Losses with the worst that was measured, by objective, in place of a crash."""
        known = [losses for losses in self.losses if losses is not None]
        worst = [max(column) for column in zip(*known, strict=True)]
        return [worst if losses is None else losses for losses in self.losses]

    def named(self, point: Point) -> dict[str, float | int]:
        """Name the coordinates of a point; indices become whole numbers."""
        pairs = zip(self.names, self.dimensions, point, strict=True)
        return {name: u if axis.kind == "real" else int(u) for name, axis, u in pairs}

    def unnamed(self, values: Any) -> Point:
        """Read a point from a mapping of names to values."""
        return [float(values[name]) for name in self.names]
