"""The seam behind which everything that can be tuned in a comparison lives."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import Outcome
from scoot_ray.core.space import Config, SearchSpace


class Service(Protocol):
    """Describe something to tune, whose measurements are noisy and reproducible by seed."""

    @property
    def space(self) -> SearchSpace:
        """What may be tuned."""
        ...

    @property
    def objectives(self) -> Sequence[Objective]:
        """What is optimised."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def rate_rps(self) -> float | None:
        """Requests a second, where that is a choice."""
        ...

    def at_stated_load(self) -> Self:
        """Return the service at the load that the comparison states."""
        ...

    def measure(self, config: Config, seed: int) -> Outcome:
        """Measure a configuration as a search does; the phases last as long as real ones."""
        ...

    def judge(self, config: Config) -> Sequence[Mapping[str, float]]:
        """Return the metrics by which a configuration is judged, one mapping for each judge.

        Every configuration has the same judges, whose arrival orders no search sees. Empty if it
        does not run for all of them.
        """
        ...
