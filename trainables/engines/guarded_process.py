"""A process with all its descendants, started so that none of them outlives this one."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scoot_ray.core.errors import InfrastructureError

GUARD = Path(__file__).with_name("guard.py")
GRACE_S = 5.0
SWEEP_S = 40.0


class GuardedProcess:
    """Hold the trial's end of the socket that a guard listens to (see `guard.py`)."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._is_gone = False
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        log: Path,
        grace_s: float = GRACE_S,
    ) -> "GuardedProcess":
        """Start `command` under a guard.

        Args:
            command: Program and arguments.
            env: Its whole environment.
            folder: Its working directory.
            log: Receives its standard output and error.
            grace_s: Seconds from SIGTERM to SIGKILL when it is stopped.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            _launch_guard(theirs, command, env=env, folder=folder, log=log, grace_s=grace_s)
        return cls(ours)

    async def wait_exit(self) -> int | None:
        """Return the main process's exit status once it has ended; None if it is not known."""
        return await asyncio.shield(self._exited)

    async def stop(self) -> None:
        """End the process and its descendants, and return when none is left.

        Raises:
            InfrastructureError: If the guard cannot vouch for that.
        """
        # The guard may have gone already; what it said before is still to be read.
        with contextlib.suppress(ConnectionError):
            self._channel.send(b"stop\n")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S + SWEEP_S):
                await self._listening
        # Closing our end makes the guard kill whatever it has not killed yet.
        self._channel.close()
        if not self._is_gone:
            raise InfrastructureError(
                "The engine was stopped, but not all of its processes are known to be gone. "
                "Look for them with `ps -ef` and end them before the next trial."
            )

    async def _listen(self) -> None:
        """Hear the guard until it closes its end.

        A stream of asyncio would not do: it drops what it has not read once a write has failed.
        """
        loop, heard = asyncio.get_running_loop(), b""
        with contextlib.suppress(ConnectionError):
            while received := await loop.sock_recv(self._channel, 64):
                *lines, heard = (heard + received).split(b"\n")
                for line in lines:
                    self._hear(line)
        self._exited_unseen()

    def _hear(self, line: bytes) -> None:
        match line.split():
            case [b"exited", status]:
                self._exited.set_result(int(status))
            case [b"sweeping"]:
                self._exited_unseen()
            case [b"gone"]:
                self._is_gone = True

    def _exited_unseen(self) -> None:
        """Say that the process has ended, if nobody has told how."""
        if not self._exited.done():
            self._exited.set_result(None)


def _launch_guard(
    channel: socket.socket,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path,
    log: Path,
    grace_s: float,
) -> None:
    guard = [sys.executable, "-I", "-S", str(GUARD), str(channel.fileno()), str(grace_s)]
    with log.open("wb") as output:
        # Returns within milliseconds: the guard's first process only forks.
        subprocess.run(
            [*guard, *command],
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[channel.fileno()],
            check=True,
        )


def inherited_environment() -> dict[str, str]:
    """Return this process's environment without what would change a Python program's imports.

    Ray puts its job's folder first on PYTHONPATH, where packages such as `traces` and `cluster`
    would shadow the engine's own.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
