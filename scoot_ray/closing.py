"""The end of an off-peak window: what may still be started, and that all is over in time."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cluster.offpeak import Window
from scoot_ray.core.errors import StudyError
from scoot_ray.core.journal import History
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord

STOP_S = 30.0
"""Ray Tune gives trials 10 s to stop; then engines die, the report is written, Ray shuts down."""
OVERHEAD_S = 15.0
"""What a trial takes beyond its phases: a bundle, an actor, its imports."""


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def expected_trial_s(study: Study, trials: Sequence[TrialRecord]) -> float:
    """Return how long a trial may be expected to take: as long as the longest so far.

    Before any has finished it is what the study's own time-outs allow.
    """
    measured = (TrialState.COMPLETE, TrialState.INFEASIBLE)
    lengths_s = [sum(r.phases_s.values()) for r in trials if r.state in measured]
    workload = study.workload
    allowed_s = workload.duration_s + workload.request_timeout_s + study.engine.startup_timeout_s
    return max(lengths_s, default=allowed_s) + OVERHEAD_S


@dataclass(frozen=True)
class Closing:
    """Hold a study to the window in which it runs.

    Attributes:
        study: The study.
        window: The window that is open.
        now: The clock.
    """

    study: Study
    window: Window
    now: Callable[[], datetime] = utc_now

    @property
    def stops_at(self) -> datetime:
        """When whatever still runs is stopped, so that nothing is left when the window closes."""
        return self.window.closes - timedelta(seconds=STOP_S)

    def allows_another(self, history: History) -> bool:
        """Tell whether a trial that starts now can be expected to finish in the window."""
        expected_s = expected_trial_s(self.study, history.trials)
        return self.now() + timedelta(seconds=expected_s) <= self.stops_at

    def require_room(self, trials: Sequence[TrialRecord]) -> None:
        """Check that the window has room for one trial, or the study would wait for ever.

        Raises:
            StudyError: Saying how long both are.
        """
        expected_s = expected_trial_s(self.study, trials)
        length_s = (self.stops_at - self.window.opens).total_seconds()
        if length_s < expected_s:
            raise StudyError(
                f"schedule: the window is {length_s + STOP_S:g} s long, and a trial may take "
                f"{expected_s:g} s with {STOP_S:g} s to stop. Make the window longer, or lower "
                "workload.duration_s, workload.request_timeout_s or engine.startup_timeout_s."
            )

    @contextlib.contextmanager
    def enforced(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop`, in a thread, if anything still runs shortly before the window closes."""
        remaining_s = (self.stops_at - self.now()).total_seconds()
        if remaining_s <= OVERHEAD_S:  # so near the end no trial is started
            yield
            return
        # A timer cannot wait for longer than this, and a window that long never closes.
        timer = threading.Timer(min(remaining_s, threading.TIMEOUT_MAX), stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


class Unlimited:
    """The closing of a study without a schedule: it never comes."""

    def allows_another(self, history: History) -> bool:
        """Return True."""
        return True

    def require_room(self, trials: Sequence[TrialRecord]) -> None:
        """Do nothing."""

    def enforced(self, stop: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
        """Stop nothing."""
        return contextlib.nullcontext()


UNLIMITED = Unlimited()
