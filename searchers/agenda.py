"""What to run next: unfinished trials, then the search, then the confirmation.

The agenda is a pure function of what the journal says and what is running, so a resumed study
continues exactly where the journal ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from scoot_ray.core.journal import History
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.pareto import recommend
from scoot_ray.core.space import Config
from scoot_ray.core.trial import Assignment, Role, TrialRecord, TrialState, trial_seed
from searchers.optimizer import Optimizer

MAX_ATTEMPTS = 3
"""How often a configuration is tried before its infrastructure failures are given up on."""
MAX_GIVEN_UP = 3
"""How many configurations may be given up on before the study stops: then it is not chance."""


class Pause(Enum):
    """Why nothing is handed out now."""

    WAIT = "a running trial must end first"
    FINISHED = "nothing is left to run"


@dataclass(frozen=True)
class Agenda:
    """Decide the next assignment of a study.

    Attributes:
        optimizer: Chooses configurations; its first choice is the default.
        objectives: What is optimised, for choosing the configuration to confirm.
        limits: SLOs that the configuration to confirm should meet.
        num_observations: Search trials wanted, the default not counted.
        num_confirmations: Repeated measurements of the recommended configuration.
        seed: The study's seed.
    """

    optimizer: Optimizer
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    num_observations: int
    num_confirmations: int
    seed: int

    def next(self, history: History, running: Sequence[int]) -> Assignment | Pause:
        """Return the next assignment, or why there is none.

        Args:
            history: The study so far; assignments that are unfinished and not running were
                interrupted and come first, under their own numbers.
            running: Numbers of the assignments that are being measured.
        """
        if stop_reason(history.trials):
            return Pause.WAIT if running else Pause.FINISHED
        for assignment in history.unfinished:
            if assignment.number not in running:
                return assignment
        return self._retry(history) or self._search(history) or self._confirm(history)

    def is_finished(self, history: History) -> bool:
        """Tell whether the study has all the trials that it wants."""
        if history.unfinished or self._wants_search(history):
            return False
        return self._to_confirm(history) is None

    def _retry(self, history: History) -> Assignment | None:
        for record in history.trials:
            if _wants_retry(record, history):
                return self._assign(history, record.role, record.config)
        return None

    def _search(self, history: History) -> Assignment | None:
        if not self._wants_search(history):
            return None
        learnt = [r for r in history.trials if r.role in (Role.DEFAULT, Role.SEARCH)]
        # What was given up on counts as pending, or the same suggestion would come again.
        given_up = [r.config for r in learnt if _is_given_up(r, learnt)]
        config = self.optimizer.suggest(learnt, [*history.pending, *given_up], 1)[0]
        is_first = not history.trials and not history.unfinished
        return self._assign(history, Role.DEFAULT if is_first else Role.SEARCH, config)

    def _wants_search(self, history: History) -> bool:
        num_usable = _num_usable(history.trials, Role.DEFAULT, Role.SEARCH)
        return num_usable + len(history.unfinished) <= self.num_observations

    def _confirm(self, history: History) -> Assignment | Pause:
        # The recommendation is known only when the search has ended.
        searching = any(a.role is not Role.CONFIRM for a in history.unfinished)
        config = None if searching else self._to_confirm(history)
        if config is not None:
            return self._assign(history, Role.CONFIRM, config)
        return Pause.WAIT if history.unfinished else Pause.FINISHED

    def _to_confirm(self, history: History) -> Config | None:
        """Return the recommended configuration if it still lacks confirmations."""
        best = recommend(history.trials, self.objectives, self.limits)
        if best is None:
            return None
        config = best.record.config
        done = [r for r in history.trials if r.role is Role.CONFIRM and r.config == config]
        num_failed = len(done) - _num_usable(done, Role.CONFIRM)
        num_assigned = len(done) - num_failed + len(history.unfinished)
        wanted = num_assigned < self.num_confirmations and num_failed < MAX_ATTEMPTS
        return config if wanted else None

    def _assign(self, history: History, role: Role, config: Config) -> Assignment:
        taken = [r.number for r in history.trials] + [a.number for a in history.unfinished]
        number = max(taken, default=-1) + 1
        return Assignment(number, role, dict(config), trial_seed(self.seed, number))


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
                f"{len(given_up)} configuration(s) failed {MAX_ATTEMPTS} times for reasons that "
                f"are not theirs; the last was: {given_up[-1].failure.message}"
            )
    return None


def _num_usable(trials: Sequence[TrialRecord], *roles: Role) -> int:
    usable = (TrialState.COMPLETE, TrialState.INFEASIBLE)
    return sum(record.state in usable and record.role in roles for record in trials)


def _attempts(record: TrialRecord, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [r for r in trials if r.role is record.role and r.config == record.config]


def _is_given_up(record: TrialRecord, trials: Sequence[TrialRecord]) -> bool:
    """Tell whether `record` is the last failed attempt that its configuration was allowed."""
    failed = [r for r in _attempts(record, trials) if r.state is TrialState.FAILED]
    return len(failed) >= MAX_ATTEMPTS and record is failed[-1]


def _wants_retry(record: TrialRecord, history: History) -> bool:
    if record.state is not TrialState.FAILED or record.role is Role.CONFIRM:
        return False
    attempts = _attempts(record, history.trials)
    all_failed = all(r.state is TrialState.FAILED for r in attempts)
    running = any(a.config == record.config for a in history.unfinished)
    return all_failed and not running and len(attempts) < MAX_ATTEMPTS
