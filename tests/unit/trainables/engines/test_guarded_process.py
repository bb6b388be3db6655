import asyncio
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from tests.processes import wait_for_number
from trainables.engines.guarded_process import GuardedProcess, inherited_environment

LIMIT_S = 10.0
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


async def start(tmp_path: Path, *command: str, grace_s: float = 5.0) -> GuardedProcess:
    return await GuardedProcess.start(
        command,
        env=inherited_environment(),
        folder=tmp_path,
        log=tmp_path / "engine.log",
        grace_s=grace_s,
    )


@pytest.mark.parametrize("status", [0, 3])
async def test_the_exit_status_is_reported(tmp_path: Path, status: int) -> None:
    process = await start(tmp_path, sys.executable, "-c", f"print('hello'); exit({status})")
    assert await process.wait_exit() == status
    await process.stop()
    assert (tmp_path / "engine.log").read_text() == "hello\n"


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_the_guard_said_before_it_went_is_heard(
    tmp_path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """The guard may be gone by the time that it is told to stop: nothing can be written to it."""

    async def stop_late() -> None:
        process = await start(tmp_path, sys.executable, "-c", "pass", mark)
        await process.wait_exit()
        # The event loop reads nothing while the guard ends.
        assert wait_for_number(mark, 0, LIMIT_S) == []
        await process.stop()

    mark = f"mark-{uuid.uuid4().hex}"
    with asyncio.Runner(loop_factory=new_loop) as runner:
        for _ in range(10):
            runner.run(stop_late())


async def test_death_by_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    code = f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"
    process = await start(tmp_path, sys.executable, "-c", code)
    assert await process.wait_exit() == -signal.SIGKILL
    await process.stop()


async def test_a_program_that_is_not_there_says_so_in_the_log(tmp_path: Path) -> None:
    process = await start(tmp_path, "/nowhere/python")
    assert await process.wait_exit() == 127
    await process.stop()
    log = (tmp_path / "engine.log").read_text()
    assert log == "Cannot start /nowhere/python: No such file or directory\n"


async def test_stop_is_polite_first(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)))\n"
        "print('ready', flush=True); time.sleep(600)"
    )
    process = await start(tmp_path, sys.executable, "-c", code)
    await wait_for_text(tmp_path / "engine.log", "ready")
    await process.stop()
    assert await process.wait_exit() == 0
    assert "bye" in (tmp_path / "engine.log").read_text()


async def test_stop_kills_what_does_not_listen(tmp_path: Path) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    process = await start(tmp_path, sys.executable, "-c", STUBBORN, mark, grace_s=0.2)
    await wait_for_text(tmp_path / "engine.log", "ready")
    await process.stop()
    assert await process.wait_exit() is None
    assert wait_for_number(mark, 0, 0.0) == []


def has_text(path: Path, text: str) -> bool:
    return text in path.read_text()


async def wait_for_text(path: Path, text: str) -> None:
    for _ in range(500):
        if has_text(path, text):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{text!r} never came")
