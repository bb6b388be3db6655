"""The live view of a study in a terminal: a Ray Tune callback that redraws where it stands.

Events go on being printed as lines, above it; where there is no terminal there is no view, and
nothing but lines.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ray.tune import Callback
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cluster.noticeboard import Noticeboard, Teller
from scoot_ray.core.assignment import Assignment
from scoot_ray.core.display import describe_trial
from scoot_ray.core.failure import Phase
from scoot_ray.core.journal import Journal
from scoot_ray.plan import Plan
from scoot_ray.status import Running, Status

if TYPE_CHECKING:
    from ray.tune.experiment import Trial

INTERVAL_S = 0.5
WIDEST_PHASE = len("warming up 59.9 s")
MOST_ROWS = 6
"""Of the front, and of what runs: the view must fit the terminal."""


def is_wanted(console: Console) -> bool:
    """Tell whether somebody watches: a terminal that can be redrawn, and no CI."""
    return console.is_terminal and not console.is_dumb_terminal and "CI" not in os.environ


class Lines(Callback):
    """The view where nobody watches: none. Events are printed as lines anyway."""

    teller = Teller()

    def shown(self) -> contextlib.AbstractContextManager[None]:
        """Show nothing."""
        return contextlib.nullcontext()


class LiveView(Callback):
    """Redraw where the study stands; made when Ray is connected."""

    def __init__(self, plan: Plan, journal: Journal, console: Console) -> None:
        self._plan = plan
        self._journal = journal
        self._console = console
        self._board = Noticeboard.hang_up()
        self._begun_s = time.monotonic()
        self._num_before = len(journal.read().trials)
        self._started_s: dict[int, float] = {}
        self._drawn_s = 0.0
        self._live: Live | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Keep the terminal and handles out of what Tune writes down."""
        return {}

    @property
    def teller(self) -> Teller:
        """What trials post their phases with."""
        return self._board.teller

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the view while inside; what is printed meanwhile appears above it."""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def on_trial_start(
        self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any
    ) -> None:
        """Note since when a trial has its bundle."""
        self._started_s[trial.config["number"]] = time.monotonic()

    def on_step_end(self, iteration: int, trials: "list[Trial]", **info: Any) -> None:
        """Redraw now and then."""
        now_s = time.monotonic()
        if self._live is None or now_s - self._drawn_s < INTERVAL_S:
            return
        self._drawn_s = now_s
        status = Status.of(
            self._plan.study,
            self._journal.read(),
            self._running(trials, now_s),
            num_planned=self._plan.num_trials,
            num_before=self._num_before,
            elapsed_s=now_s - self._begun_s,
        )
        objectives = [objective.metric for objective in self._plan.study.objectives]
        self._live.update(draw(self._plan.study.name, status, objectives), refresh=True)

    def _running(self, trials: "list[Trial]", now_s: float) -> list[Running]:
        posted = self._board.read()
        found = []
        for trial in trials:
            if trial.status == "RUNNING":
                assignment = Assignment.from_json(trial.config)
                phase, phase_s = posted.get(assignment.number, (None, 0.0))
                found.append(
                    Running(
                        title=describe_trial(assignment, self._plan.space.default),
                        num_gpus=self._plan.num_gpus_of(assignment.config),
                        held_s=now_s - self._started_s.get(assignment.number, now_s),
                        phase=Phase(phase) if phase else None,
                        phase_s=phase_s,
                    )
                )
        return found


def draw(name: str, status: Status, objectives: list[str]) -> Panel:
    """Draw the view; texts are shown as they are, whatever they hold."""
    running = Table.grid(padding=(0, 2))
    running.add_column(no_wrap=True, min_width=WIDEST_PHASE)
    running.add_column(no_wrap=True, overflow="ellipsis")
    for title, doing in status.running[:MOST_ROWS]:
        running.add_row(Text(doing, style="bold"), _plain(title))
    front = Table(box=None, title_justify="left", padding=(0, 2, 0, 0))
    for heading in ("front", *objectives, "changes from the default"):
        front.add_column(heading, no_wrap=True, overflow="ellipsis")
    for row in status.front[:MOST_ROWS]:
        front.add_row(*map(_plain, row))
    hidden = len(status.front) - MOST_ROWS
    more = [Text(f"and {hidden} more on the front")] if hidden > 0 else []
    lines = map(_plain, (status.counts, status.spending, f"best so far: {status.best}"))
    return Panel(
        Group(*lines, Text(), front, *more, Text(), running),
        title=Text(name),
        title_align="left",
        subtitle="Ctrl-C: give up what runs, and report",
        subtitle_align="left",
    )


def _plain(text: str) -> Text:
    """Keep markup as it is written, and control characters away from the terminal."""
    return Text("".join(character for character in text if character.isprintable()))
