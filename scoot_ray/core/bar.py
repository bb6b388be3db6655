"""The bar that a test must still be able to reach, or it is ended early.

It is fixed when the test is handed out and written to the journal with it, so that whatever else
finishes meanwhile, the same test ends in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoot_ray.core.objective import Limit, Objective

IN_FLIGHT_FACTOR = 2.0
"""A queue that still grows when it is this many times as long as any good one ever was, diverges.

Not a bound but a judgement: a test that passes it is so far from the others that it would hardly
ever have been among them (`benchmarks.early_stop`).
"""
FAR_BEHIND = 1.5
"""So many times worse than the default in one objective, nothing good in another is of use."""


@dataclass(frozen=True)
class Bar:
    """State what a test of the search is compared with.

    Attributes:
        num_finalists: So many trials must be better before a test is hopeless: those that come
            next may turn out to be better when the finalists are confirmed.
        rivals: Losses of the trials that met every limit, shape [n, m], less those that
            `num_finalists` others dominate.
        reference: Losses of the default, shape [m], if it met every limit. What is better in no
            objective is hopeless, and so is what is far behind in one. What is better in one and
            not far behind in the others is never recommended, either, but it may be a point of the
            front, and tells the search where the front lies.
        excess: Relative amount by which the `num_finalists`-th closest trial misses the limits, 0
            if it meets them; None while fewer trials are known.
        in_flight: The most requests that the whole service had in flight in a test of the default
            or of a rival; None if that is not known.
    """

    num_finalists: int
    rivals: tuple[tuple[float, ...], ...] = ()
    reference: tuple[float, ...] | None = None
    excess: float | None = None
    in_flight: float | None = None

    def miss(
        self, bounds: Mapping[str, float], objectives: Sequence[Objective], limits: Sequence[Limit]
    ) -> str:
        """Say why a test with these bounds can no longer reach the bar; empty if it can.

        Args:
            bounds: The best value that each metric can still have; unbounded ones are left out.
            objectives: What `rivals` and `reference` are losses of.
            limits: The study's SLOs.
        """
        return (
            self._missed_limit(bounds, limits)
            or self._behind_default(bounds, objectives)
            or self._dominated(bounds, objectives)
        )

    def is_diverging(self, in_flight: Sequence[float]) -> bool:
        """Tell whether a queue grows without bound.

        Args:
            in_flight: Requests of the whole service in flight at evenly spaced moments up to now.
        """
        if self.in_flight is None or in_flight[-1] <= IN_FLIGHT_FACTOR * self.in_flight:
            return False
        return bool(np.all(np.diff(in_flight) > 0))

    def _missed_limit(self, bounds: Mapping[str, float], limits: Sequence[Limit]) -> str:
        for limit in limits:
            if self.excess is None or limit.metric not in bounds:
                continue
            excess = limit.excess(bounds)
            if excess > self.excess:
                return f"it misses {limit} by at least {excess:.0%}, whatever still happens"
        return ""

    def _behind_default(self, bounds: Mapping[str, float], objectives: Sequence[Objective]) -> str:
        if self.reference is None:
            return ""
        best, reference = np.array(_best_losses(bounds, objectives)), np.array(self.reference)
        # Rates that are maximised are negative losses: worse is nearer to zero.
        far = np.where(reference > 0, reference * FAR_BEHIND, reference / FAR_BEHIND)
        names = [objective.metric for objective in objectives]
        if (best > far).any():
            behind = " and ".join(
                name for name, is_far in zip(names, best > far, strict=True) if is_far
            )
            return f"{behind} will be far behind the default's, whatever happens"
        if (best < reference).any():
            return ""
        return f"{' and '.join(names)} can no longer be better than the default's"

    def _dominated(self, bounds: Mapping[str, float], objectives: Sequence[Objective]) -> str:
        if len(self.rivals) < self.num_finalists:
            return ""
        best = np.array(_best_losses(bounds, objectives))
        rivals = np.array(self.rivals)
        better = (rivals <= best).all(axis=1) & (rivals < best).any(axis=1)
        if better.sum() < self.num_finalists:
            return ""
        return f"{better.sum()} configurations are better in every objective, whatever happens"

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping for the journal."""
        return {
            "num_finalists": self.num_finalists,
            "rivals": [list(rival) for rival in self.rivals],
            "reference": None if self.reference is None else list(self.reference),
            "excess": self.excess,
            "in_flight": self.in_flight,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Bar":
        """Rebuild what `to_json` wrote."""
        return cls(
            num_finalists=data["num_finalists"],
            rivals=tuple(tuple(rival) for rival in data["rivals"]),
            reference=None if data["reference"] is None else tuple(data["reference"]),
            excess=data["excess"],
            in_flight=data["in_flight"],
        )


def _best_losses(bounds: Mapping[str, float], objectives: Sequence[Objective]) -> list[float]:
    """Return the smallest losses that are still possible, shape [m]; -inf without a bound."""
    return [
        objective.sign * bounds[objective.metric] if objective.metric in bounds else -np.inf
        for objective in objectives
    ]
