"""What a report is written from: the study, its journal, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from scoot_ray.core.errors import ClusterError, SpaceError, StudyError
from scoot_ray.core.journal import History
from scoot_ray.core.result import Result
from scoot_ray.core.space import SearchSpace
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.report.feasible_region import FeasibleRegion, feasible_region
from scoot_ray.report.influence import Influence, influence_of
from searchers.log_space import log_space
from searchers.observations import Observations
from trainables.spaces import make_space


@dataclass(frozen=True)
class Findings:
    """Gather what a report says; what takes time to compute is computed once, when asked for.

    Attributes:
        study: The study.
        history: Its journal.
        result: What the journal says.
        control: The journal of a random search with the same budget, if one was run.
        logs: The last lines of each trial's log, by its number.
    """

    study: Study
    history: History
    result: Result
    control: History | None = None
    logs: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        study: Study,
        history: History,
        control: History | None = None,
        logs: Mapping[int, Sequence[str]] = MappingProxyType({}),
    ) -> "Findings":
        """Fold the journal of a study."""
        return cls(study, history, Result.from_history(study, history), control, logs)

    def log_of(self, record: TrialRecord) -> Sequence[str]:
        """Return what an engine said last: why it failed, if only at first, or its log's end."""
        told = record.mishap.log_tail if record.mishap else ()
        return told or self.logs.get(record.number, ())

    @cached_property
    def space(self) -> SearchSpace | None:
        """The search space; None where this program no longer knows the study's model or GPU."""
        try:
            return log_space(make_space(self.study))
        except (SpaceError, StudyError, ClusterError):
            return None

    @cached_property
    def influences(self) -> tuple[Influence, ...]:
        """What mattered, for each objective with enough trials to learn from."""
        if self._data is None:
            return ()
        found = (influence_of(o, self._data, n) for n, o in enumerate(self.result.objectives))
        return tuple(influence for influence in found if influence is not None)

    @cached_property
    def feasible_region(self) -> FeasibleRegion | None:
        """Where configurations crash, as far as it was learned; None if none did."""
        return None if self._data is None else feasible_region(self._data)

    @cached_property
    def _data(self) -> Observations | None:
        if self.space is None:
            return None
        return Observations.of(self.space, self.result.objectives, (), self.result.trials, ())
