"""The adapter that lets Ray Tune ask our agenda what to run."""

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from scoot_ray.core.journal import History, Journal
from scoot_ray.core.space import Config
from searchers.agenda import Agenda, Pause

FINISHED: str = Searcher.FINISHED

HasRoom = Callable[[Config, Sequence[Config]], bool]
"""Tell whether a trial of a configuration, beside those that are running, would start at once."""


class RaySearcher(Searcher):
    """Hand out the agenda's assignments as Ray Tune's trial configurations.

    The journal is the only memory: an assignment is written before it is handed out, a finished
    trial is written by the recorder before Tune asks again, and everything else is folded from
    there. A fresh searcher on the same journal continues the study, and a completion that it never
    heard of is in the journal.

    Args:
        agenda: What to run next.
        journal: The study so far.
        may_start: Whether a trial may be started now; always, without it. Once it may
            not, the run ends with the trials that are running: waiting would hold the cluster.
        has_room: Whether a trial would start at once; always, without it.
    """

    def __init__(
        self,
        agenda: Agenda,
        journal: Journal,
        may_start: Callable[[History], bool] | None = None,
        has_room: HasRoom | None = None,
    ) -> None:
        super().__init__()
        self._may_start = may_start
        self._has_room = has_room
        self._agenda = agenda
        self._journal = journal
        self._running: dict[str, int] = {}

    def suggest(self, trial_id: str) -> Any:
        """Return the next trial's parameters, None to be asked again later, or FINISHED."""
        started_at_s = time.monotonic()
        history = self._journal.read()
        if self._may_start is not None and not self._may_start(history):
            return FINISHED
        following = self._agenda.next(history, list(self._running.values()))
        if following is Pause.WAIT:
            return None
        if isinstance(following, Pause):
            return FINISHED
        took_s = time.monotonic() - started_at_s
        for assignment in following:
            if assignment not in history.unfinished:
                self._journal.write_suggestion(assignment, took_s=took_s / len(following))
        chosen = self._agenda.choose(following, partial(self._fits, history))
        self._running[trial_id] = chosen.number
        self._agenda.prepare(self._journal.read())
        return chosen.to_json()

    def _fits(self, history: History, config: Config) -> bool:
        numbers = set(self._running.values())
        running = [each.config for each in history.unfinished if each.number in numbers]
        return self._has_room is None or self._has_room(config, running)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Forget that the trial runs; what it found is in the journal, known to us or not."""
        self._running.pop(trial_id, None)

    def save(self, checkpoint_path: str) -> None:
        """Write which of Tune's trials has which number: all that the journal does not say."""
        Path(checkpoint_path).write_text(json.dumps(self._running))

    def restore(self, checkpoint_path: str) -> None:
        """Read what `save` wrote: what Tune goes on with is not handed out twice."""
        self._running = json.loads(Path(checkpoint_path).read_text())
