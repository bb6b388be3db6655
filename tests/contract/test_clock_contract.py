"""What every clock promises."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from trainables.clock import Clock, VirtualClock, WallClock

pytestmark = pytest.mark.parametrize("make_clock", [WallClock, VirtualClock])


async def test_time_never_runs_backwards(make_clock: Callable[[], Clock]) -> None:
    clock = make_clock()
    times_s = [clock.now() for _ in range(100)]
    assert times_s == sorted(times_s)
    assert 0 <= times_s[0] < 60


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_sleeping_reaches_the_time_and_not_less(
    make_clock: Callable[[], Clock], make_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def sleep() -> None:
        clock = make_clock()
        for number in range(20):
            due_s = clock.now() + 0.002 + 0.0001 * number  # uvloop itself counts milliseconds
            await clock.sleep_until(due_s)
            assert clock.now() >= due_s

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(sleep())


async def test_a_time_that_has_passed_returns_at_once(make_clock: Callable[[], Clock]) -> None:
    clock = make_clock()
    await clock.sleep_until(clock.now() + 0.01)
    now_s = clock.now()
    async with asyncio.timeout(1):
        await clock.sleep_until(now_s - 1000)
    assert clock.now() >= now_s
