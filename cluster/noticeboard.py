"""A board on which trials post what they are doing, from whatever node, for the driver to read."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

if TYPE_CHECKING:
    from ray.actor import ActorHandle


class Board:
    """Hold the latest phase of every trial; lives in an actor, which claims nothing."""

    def __init__(self) -> None:
        self._posted: dict[int, tuple[str, float]] = {}

    def post(self, number: int, phase: str) -> None:
        """Note that a trial has entered a phase; it may be told of its parts, too."""
        if number not in self._posted or self._posted[number][0] != phase:
            self._posted[number] = (phase, time.monotonic())

    def read(self) -> dict[int, tuple[str, float]]:
        """Return each trial's phase, and for how many seconds it has been going on."""
        now_s = time.monotonic()
        return {number: (phase, now_s - since) for number, (phase, since) in self._posted.items()}


@dataclass(frozen=True)
class Teller:
    """What a trial's actor posts with; without a board nobody listens."""

    board: "ActorHandle[Any] | None" = None

    def __call__(self, number: int, phase: str) -> None:
        """Post a phase, and do not wait for it to arrive."""
        if self.board is not None:
            self.board.post.remote(number, phase)


@dataclass
class Noticeboard:
    """The driver's side: what is read may be a moment old, and reading never waits."""

    board: "ActorHandle[Any]"
    _asked: Any = None
    _posted: dict[int, tuple[str, float]] = field(default_factory=dict)
    _read_at_s: float = 0.0

    @classmethod
    def hang_up(cls) -> "Noticeboard":
        """Start the actor; it goes with this connection to Ray."""
        actor: Any = ray.remote(Board)
        return cls(actor.options(num_cpus=0, max_restarts=-1).remote())

    @property
    def teller(self) -> Teller:
        """What trials post with."""
        return Teller(self.board)

    def read(self) -> dict[int, tuple[str, float]]:
        """Return what was last heard: each trial's phase and its length so far in seconds."""
        if self._asked is not None and ray.wait([self._asked], timeout=0)[0]:
            try:
                self._posted, self._read_at_s = ray.get(self._asked), time.monotonic()
            except RayError:  # its node is gone; another one takes over
                self._posted = {}
            self._asked = None
        if self._asked is None:
            self._asked = self.board.read.remote()
        age_s = time.monotonic() - self._read_at_s
        return {number: (phase, s + age_s) for number, (phase, s) in self._posted.items()}
