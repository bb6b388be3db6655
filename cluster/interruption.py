"""Ctrl-C and SIGTERM: Ray Tune stops in good order, and the engines do not wait for that."""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Callback

if TYPE_CHECKING:
    from ray.actor import ActorHandle
    from ray.tune.experiment import Trial

# Tune needs a moment to take the trials off its books; an actor that dies later is no loss to it.
HEAD_START_S = 1.0
STDERR = 2
NOTICE = (
    b"\nStopping: running trials are given up, and --resume runs them again; the report of what "
    b"has finished follows.\nCtrl-C again stops at once; the journal holds all that has finished.\n"
)


class Interruption(Callback):
    """Kill the actors of running trials when the study is interrupted.

    Tune asks an actor to stop and waits ten seconds for it; in the middle of a stress test, it
    cannot answer, and its engine would hold its GPUs for that long. Once the actor is gone, the
    engine's guard ends the engine. The trial is unfinished then, and a resumed study runs it again.

    Attributes:
        has_come: Whether somebody asked this process to end.
    """

    def __init__(self) -> None:
        self.has_come = False
        self._actors: list[ActorHandle[Any]] = []

    def __getstate__(self) -> dict[str, Any]:
        """Keep handles out of what Tune writes down."""
        return {"has_come": False, "_actors": []}

    def on_step_end(self, iteration: int, trials: "list[Trial]", **info: Any) -> None:
        """Note which actors there are."""
        actors = (trial.temporary_state.ray_actor for trial in trials)
        self._actors = [actor for actor in actors if actor is not None]

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Take the first signal as the wish to stop; a second Ctrl-C ends the program at once."""
        # Tune would advise to restore its own folder, which goes with the run; the journal stays.
        tune_logger = logging.getLogger("ray.tune.tune")
        level = tune_logger.level
        tune_logger.setLevel(logging.ERROR)
        previous = {
            number: signal.signal(number, self._interrupt)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            tune_logger.setLevel(level)

    def _interrupt(self, *_: object) -> None:
        if not self.has_come:
            os.write(STDERR, NOTICE)  # a file object may be in the middle of a write of its own
        self.has_come = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.stop()

    def stop(self) -> None:
        """Stop in good order now; from any thread."""
        os.kill(os.getpid(), signal.SIGUSR1)  # Tune's own signal for an orderly stop
        timer = threading.Timer(HEAD_START_S, self._kill, [tuple(self._actors)])
        timer.daemon = True
        timer.start()

    @staticmethod
    def _kill(actors: "tuple[ActorHandle[Any], ...]") -> None:
        for actor in actors:
            ray.kill(actor)
