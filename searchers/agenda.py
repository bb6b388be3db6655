"""What to run next: unfinished trials, then the search, then the confirmation of its finalists.

In between and at the end the default configuration is measured again, to see noise and drift.

The agenda is a pure function of what the journal says and what is running, so a resumed study
continues exactly where the journal ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from scoot_ray.core.assignment import Assignment, Role, confirmation_seed, trial_seed
from scoot_ray.core.attempts import attempts_at, is_spent
from scoot_ray.core.journal import History
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import finalists
from scoot_ray.core.rivals import bar_to_reach
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord
from searchers.optimizer import Optimizer
from searchers.pace import Fits, OneByOne, Pace, Searched

MAX_GIVEN_UP = 3
"""How many configurations may be given up on before the study stops: then it is not chance."""

SEARCHING = (Role.DEFAULT, Role.SEARCH)


class Pause(Enum):
    """Why nothing is handed out now."""

    WAIT = "a running trial must end first"
    FINISHED = "nothing is left to run"


@dataclass(frozen=True)
class Agenda:
    """Decide the next assignment of a study.

    Attributes:
        optimizer: Chooses configurations; its first choice is the default.
        objectives: What is optimised, for choosing the configurations to confirm.
        limits: SLOs that the configurations to confirm should meet.
        num_observations: Search trials wanted, the default not counted.
        num_confirmations: Arrival orders under which each finalist is measured again.
        seed: The study's seed.
        num_finalists: Configurations to confirm.
        num_drift_tests: How often the default is measured again, the last time at the end.
        early_stop: Give every test of the search a bar, so that it ends when it is hopeless.
        pace: When the optimiser is asked, and for how many at a time.
    """

    optimizer: Optimizer
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    num_observations: int
    num_confirmations: int
    seed: int
    num_finalists: int = 1
    num_drift_tests: int = 0
    early_stop: bool = False
    pace: Pace = field(default_factory=OneByOne)

    def next(self, history: History, running: Sequence[int]) -> tuple[Assignment, ...] | Pause:
        """Return the next assignments, or why there are none.

        All are to be written, and one of them, which `choose` names, is to be measured now; the
        others come when they are asked for.

        Args:
            history: The study so far; assignments that are unfinished and not running were
                interrupted and come first, under their own numbers.
            running: Numbers of the assignments that are being measured.
        """
        if stop_reason(history.trials):
            return Pause.WAIT if running else Pause.FINISHED
        if waiting := tuple(a for a in history.unfinished if a.number not in running):
            return waiting
        single = self._retry(history) or self._drift(history, self._num_drift_due(history))
        if single:
            return (single,)
        return self._search(history) or self._finish(history)

    def choose(self, waiting: Sequence[Assignment], fits: Fits) -> Assignment:
        """Return which of the assignments that `next` returned is to be measured now.

        Args:
            waiting: At least one.
            fits: Tells whether a trial would start at once.
        """
        return self.pace.choose(waiting, fits)

    def prepare(self, history: History) -> None:
        """Begin to compute what `next` will be asked for, where the pace allows that."""
        if self._wants_search(history):
            self.pace.prepare(self.optimizer, self._searched(history))

    def is_finished(self, history: History) -> bool:
        """Tell whether the study has all the trials that it wants."""
        return not self._wants_search(history) and self._finish(history) is Pause.FINISHED

    def _retry(self, history: History) -> Assignment | None:
        for record in history.trials:
            if _wants_retry(record, history):
                return self._assign(history, record.role, record.config)
        return None

    def _search(self, history: History) -> tuple[Assignment, ...]:
        if not self._wants_search(history):
            return ()
        configs = self.pace.suggest(self.optimizer, self._searched(history))
        is_first = not history.trials and not history.unfinished
        first = Role.DEFAULT if is_first else Role.SEARCH
        roles = [first, *[Role.SEARCH] * len(configs)]
        return tuple(
            self._assign(history, role, config, ahead)
            for ahead, (role, config) in enumerate(zip(roles, configs, strict=False))
        )

    def _searched(self, history: History) -> Searched:
        learnt = tuple(r for r in history.trials if r.role in SEARCHING)
        return Searched(
            trials=learnt,
            pending=tuple(a.config for a in history.unfinished if a.role in SEARCHING),
            given_up=tuple(r.config for r in learnt if _is_given_up(r, learnt)),
            num_wanted=self.num_observations + 1 - self._num_searched(history),
            num_known=sum(r.role in SEARCHING for r in history.trials[: history.num_known]),
        )

    def _wants_search(self, history: History) -> bool:
        return self._num_searched(history) <= self.num_observations

    def _num_searched(self, history: History) -> int:
        """Count the usable trials of the search and those in flight, the default included."""
        num_running = sum(a.role in SEARCHING for a in history.unfinished)
        return _num_usable(history.trials, *SEARCHING) + num_running

    def _finish(self, history: History) -> tuple[Assignment] | Pause:
        # The finalists are known only when the search has ended.
        if any(a.role in SEARCHING for a in history.unfinished):
            return Pause.WAIT
        following = self._confirm(history) or self._drift(history, self.num_drift_tests)
        if following:
            return (following,)
        return Pause.WAIT if history.unfinished else Pause.FINISHED

    def _confirm(self, history: History) -> Assignment | None:
        """Measure every finalist under one order after the other: the same orders for all."""
        best = finalists(history.trials, self.objectives, self.limits, self.num_finalists)
        lacking = [record.config for record in best if not _is_settled(record.config, history)]
        for repeat in range(self.num_confirmations):
            seed = confirmation_seed(self.seed, repeat)
            for config in lacking:
                if not _is_taken(config, seed, history):
                    return replace(self._assign(history, Role.CONFIRM, config), seed=seed)
        return None

    def _num_drift_due(self, history: History) -> int:
        """Count the tests of the default that are due: evenly spaced, the last one at the end."""
        share = max(0, self._num_searched(history) - 1) / self.num_observations
        return min(int(share * self.num_drift_tests), self.num_drift_tests - 1)

    def _drift(self, history: History, num_due: int) -> Assignment | None:
        """Measure the default again unless that has been done `num_due` times."""
        for record in history.trials:
            if record.role is Role.DEFAULT and record.state is TrialState.COMPLETE:
                running = [a for a in history.unfinished if a.role is Role.DRIFT]
                num_tests = _num_usable(history.trials, Role.DRIFT) + len(running)
                if num_tests >= num_due or is_spent(
                    attempts_at(record.config, Role.DRIFT, history.trials)
                ):
                    return None
                return self._assign(history, Role.DRIFT, record.config)
        return None

    def _assign(self, history: History, role: Role, config: Config, ahead: int = 0) -> Assignment:
        """Number an assignment, `ahead` others being assigned before it."""
        taken = [r.number for r in history.trials] + [a.number for a in history.unfinished]
        number = max(taken, default=-1) + 1 + ahead
        bar = None
        if self.early_stop and role is Role.SEARCH:
            num = self.num_finalists
            bar = bar_to_reach(history.trials, self.objectives, self.limits, num)
        return Assignment(number, role, dict(config), trial_seed(self.seed, number), bar)


def stop_reason(trials: Sequence[TrialRecord]) -> str | None:
    """Say why the study cannot go on, or return None.

    It stops when a failure would meet every configuration (missing weights, an unknown flag), and
    when infrastructure failures no longer look like chance.
    """
    for record in trials:
        if record.failure is not None and record.failure.fatal:
            return record.failure.message
    given_up = [r for r in trials if _is_given_up(r, trials)]
    if given_up and given_up[-1].failure is not None:
        too_many = len(given_up) >= MAX_GIVEN_UP
        if too_many or given_up[-1].role is Role.DEFAULT:
            return (
                f"{len(given_up)} configuration(s) failed again and again for reasons that are "
                f"not theirs; the last was: {given_up[-1].failure.message}"
            )
    return None


def _num_usable(trials: Sequence[TrialRecord], *roles: Role) -> int:
    usable = (TrialState.COMPLETE, TrialState.INFEASIBLE)
    return sum(record.state in usable and record.role in roles for record in trials)


def _is_settled(config: Config, history: History) -> bool:
    """Tell whether no further confirmation of `config` is wanted: it crashed, or was given up."""
    tests = attempts_at(config, Role.CONFIRM, history.trials)
    crashed = any(r.state is TrialState.INFEASIBLE for r in tests)
    return crashed or is_spent(tests)


def _is_taken(config: Config, seed: int, history: History) -> bool:
    """Tell whether `config` has been confirmed under an arrival order, or is being."""
    usable = [r for r in history.trials if r.state is not TrialState.FAILED]
    tests: list[TrialRecord | Assignment] = [*usable, *history.unfinished]
    return any(t.role is Role.CONFIRM and t.seed == seed and t.config == config for t in tests)


def _is_given_up(record: TrialRecord, trials: Sequence[TrialRecord]) -> bool:
    """Tell whether `record` is the last failed attempt that its configuration was allowed."""
    attempts = attempts_at(record.config, record.role, trials)
    failed = [r for r in attempts if r.state is TrialState.FAILED]
    return is_spent(failed) and record is failed[-1]


def _wants_retry(record: TrialRecord, history: History) -> bool:
    if record.state is not TrialState.FAILED or record.role not in SEARCHING:
        return False
    attempts = attempts_at(record.config, record.role, history.trials)
    all_failed = all(r.state is TrialState.FAILED for r in attempts)
    running = any(a.config == record.config for a in history.unfinished)
    return all_failed and not running and not is_spent(attempts)
