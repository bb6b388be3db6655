"""When the search is asked, and what it may know then of the trials that are running.

    asynchronous, one slot    whenever it is free, from everything that has been measured
    asynchronous, more slots  the same without what was measured since the last assignment, so that
                              the answer is ready when a slot frees
    batch                     when nothing runs, for all slots at once: the paper's barrier
    warm first                for as many configurations as there are slots, whenever the last such
                              stock is used up; what nodes that are up can hold is started first

Each is a function of the journal alone, so a resumed study is given the same configurations. Nodes
decide only in which order a stock is used up.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from scoot_ray.core.assignment import Assignment
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from searchers.optimizer import Optimizer

Configs = list[dict[str, Any]]
Fits = Callable[[Config], bool]
"""Tell whether a trial of a configuration would start at once on the nodes that are up."""


@dataclass(frozen=True)
class Searched:
    """What the search has to go by.

    Attributes:
        trials: Finished trials of the search, in the order of completion.
        pending: Configurations that are being measured.
        given_up: Configurations that infrastructure failed too often.
        num_wanted: Configurations that the study still lacks, at least 1.
        num_known: How many of `trials` had finished when the last assignment was handed out.
    """

    trials: tuple[TrialRecord, ...]
    pending: tuple[Config, ...]
    given_up: tuple[Config, ...]
    num_wanted: int
    num_known: int

    @property
    def taken(self) -> tuple[Config, ...]:
        """Configurations not to be suggested: what was given up on counts as pending."""
        return (*self.pending, *self.given_up)

    def as_of_last_assignment(self) -> "Searched":
        """Return what was known when the last assignment was handed out: the rest is pending."""
        known, latest = self.trials[: self.num_known], self.trials[self.num_known :]
        # In one order for what finished since and what runs still, so that the answer stays.
        pending = sorted([*self.pending, *(r.config for r in latest)], key=repr)
        return Searched(known, tuple(pending), self.given_up, self.num_wanted, self.num_known)


class Pace(Protocol):
    """Ask an optimiser at the right time."""

    @property
    def batch_size(self) -> int:
        """Trials that all end before the optimiser is asked again."""
        return 1

    def suggest(self, optimizer: Optimizer, searched: Searched) -> Configs:
        """Return what to measure next, one after the other; nothing while trials must end first."""
        ...

    def prepare(self, optimizer: Optimizer, searched: Searched) -> None:
        """Begin with what `suggest` will be asked next; nothing, if that is not known yet."""
        return

    def choose(self, waiting: Sequence[Assignment], fits: Fits) -> Assignment:
        """Return which of some assignments goes first: the earliest."""
        return waiting[0]


@dataclass(frozen=True)
class OneByOne(Pace):
    """Ask for one configuration whenever a slot is free, from everything that is known."""

    def suggest(self, optimizer: Optimizer, searched: Searched) -> Configs:
        """Return one configuration."""
        return optimizer.suggest(searched.trials, searched.taken, 1)


class Ahead(Pace):
    """Ask for one configuration as of the last assignment, while the trials run.

    What finished since counts as pending: the optimiser knows of it what it would know if it ran
    still. The answer is computed by a thread; asked too early or after a restart, it is computed
    again.
    """

    def __init__(self) -> None:
        self._coming: tuple[Searched, Future[Configs]] | None = None

    def suggest(self, optimizer: Optimizer, searched: Searched) -> Configs:
        """Return one configuration, at once if it was prepared."""
        question = searched.as_of_last_assignment()
        if self._coming is not None and self._coming[0] == question:
            return self._coming[1].result()
        return _ask(optimizer, question)

    def prepare(self, optimizer: Optimizer, searched: Searched) -> None:
        """Begin to compute the next configuration."""
        question = searched.as_of_last_assignment()
        if self._coming is not None and self._coming[0] == question:
            return
        executor = ThreadPoolExecutor(1, thread_name_prefix="suggestion")
        self._coming = question, executor.submit(_ask, optimizer, question)
        executor.shutdown(wait=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the answer that is being computed: Ray Tune pickles searchers."""
        return {"_coming": None}


@dataclass(frozen=True)
class Batches(Pace):
    """Ask for `size` configurations when none of the search is being measured."""

    size: int

    @property
    def batch_size(self) -> int:
        """Trials that all end before the optimiser is asked again."""
        return self.size

    def suggest(self, optimizer: Optimizer, searched: Searched) -> Configs:
        """Return a batch, or nothing until the last one has ended."""
        if searched.pending:
            return []
        return optimizer.suggest(
            searched.trials, searched.taken, min(self.size, searched.num_wanted)
        )


@dataclass(frozen=True)
class WarmFirst(Pace):
    """Ask for a stock of `size` configurations, and start what nodes that are up can hold first.

    Nothing is passed over for longer than its stock lasts, so that large trials have their turn.
    """

    size: int

    def suggest(self, optimizer: Optimizer, searched: Searched) -> Configs:
        """Return a new stock, from everything that is known."""
        return optimizer.suggest(
            searched.trials, searched.taken, min(self.size, searched.num_wanted)
        )

    def choose(self, waiting: Sequence[Assignment], fits: Fits) -> Assignment:
        """Return the earliest that fits, or else the earliest."""
        return next((each for each in waiting if fits(each.config)), waiting[0])


PACES: Mapping[str, Callable[[int], Pace]] = {
    "asynchronous": lambda parallelism: Ahead() if parallelism > 1 else OneByOne(),
    "batch": Batches,
    "warm_first": WarmFirst,
}


def _ask(optimizer: Optimizer, searched: Searched) -> Configs:
    return optimizer.suggest(searched.trials, searched.taken, 1)
