"""Phases of a stress test: timed, also when they fail, and told as they begin."""

import pytest

from scoot_ray.core.failure import Phase
from trainables.phases import READINESS, PhaseTimer


class Steps:
    """A clock that moves by a second whenever it is read."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> float:
        self.now_s += 1.0
        return self.now_s

    async def sleep_until(self, time_s: float) -> None:
        raise NotImplementedError


def test_every_phase_is_told_as_it_begins() -> None:
    told: list[Phase] = []
    timer = PhaseTimer(Steps(), told.append)
    with timer.phase(Phase.START):
        assert told == [Phase.START]
    with timer.phase(Phase.START, timed_as=READINESS):
        pass
    with pytest.raises(KeyError), timer.phase(Phase.LOAD):
        raise KeyError
    assert told == [Phase.START, Phase.START, Phase.LOAD]
    assert timer.seconds == {"start": 1.0, "readiness": 1.0, "load": 1.0}
