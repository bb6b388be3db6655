"""The adapter that lets Ray Tune ask our agenda what to run."""

import time
from typing import Any

from ray.tune.search import Searcher

from scoot_ray.core.journal import Journal
from scoot_ray.core.trial import Assignment
from searchers.agenda import Agenda, Pause


class RaySearcher(Searcher):
    """Hand out the agenda's assignments as Ray Tune's trial configurations.

    The journal is the only memory: an assignment is written before it is handed out, a finished
    trial is written by the recorder before Tune asks again, and everything else is folded from
    there. Saving and restoring therefore have nothing to do, and a fresh searcher on the same
    journal continues the study.
    """

    def __init__(self, agenda: Agenda, journal: Journal) -> None:
        super().__init__()
        self._agenda = agenda
        self._journal = journal
        self._running: dict[str, int] = {}

    def suggest(self, trial_id: str) -> Any:
        """Return the next trial's parameters, None to be asked again later, or FINISHED."""
        started_at_s = time.monotonic()
        history = self._journal.read()
        following = self._agenda.next(history, list(self._running.values()))
        if following is Pause.WAIT:
            return None
        if not isinstance(following, Assignment):
            finished: str = Searcher.FINISHED
            return finished
        if following not in history.unfinished:
            self._journal.write_suggestion(following, took_s=time.monotonic() - started_at_s)
        self._running[trial_id] = following.number
        return following.to_json()

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Forget that the trial runs; what it found is already on its way to the journal."""
        self._running.pop(trial_id, None)

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the journal holds the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: the journal holds the state."""
