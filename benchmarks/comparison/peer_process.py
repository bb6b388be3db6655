"""A peer in its own environment: one process, asked by JSON lines (`benchmarks.peers`)."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from scoot_ray.core.errors import StudyError

PEERS_PYTHON = Path(".venv-peers/bin/python")
TAIL_LINES = 12


@dataclass(frozen=True)
class PeerEnvironment:
    """Name the interpreter that has the peers installed."""

    python: Path = PEERS_PYTHON

    def require(self) -> None:
        """Check that the environment is there.

        Raises:
            StudyError: Saying how it is made.
        """
        if not self.python.exists():
            raise StudyError(
                f"The peers' environment is missing: expected {self.python}. `make peers` sets it "
                "up; or leave the peers out with --algorithms."
            )


class PeerProcess:
    """Keep one process that answers questions; use it as a context manager."""

    def __init__(self, environment: PeerEnvironment) -> None:
        environment.require()
        # Only the package `peers` is to be found there, nothing of ours beside it.
        home = Path(__file__).resolve().parent.parent
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the exit
        python = environment.python.absolute()
        self._process = subprocess.Popen(
            [str(python), "-P", "-m", "peers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={
                **os.environ,
                # Ax compiles a part of its acquisition function where it finds ninja.
                "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
                "PYTHONPATH": str(home),
                "OMP_NUM_THREADS": "1",
            },
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()  # the end of its input is its end
        self._stderr.close()

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Send a question and wait for its answer.

        Raises:
            StudyError: With the last lines of the process, if it died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question, allow_nan=False) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise StudyError(self._obituary()) from None
        line = self._process.stdout.readline()
        if not line:
            raise StudyError(self._obituary())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _obituary(self) -> str:
        self._process.wait()
        self._stderr.seek(0)
        tail = self._stderr.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(["A peer's process died; its last lines:", *tail])


def peer_versions(environment: PeerEnvironment, names: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages in the peers' environment."""
    with PeerProcess(environment) as process:
        versions: dict[str, str] = process.ask({"versions": list(names)})["versions"]
        return versions
