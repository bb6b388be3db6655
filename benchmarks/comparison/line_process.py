"""A process in an environment of its own, which is asked and answers by lines of JSON."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from scoot_ray.core.errors import StudyError

TAIL_LINES = 12


class LineProcess:
    """Keep one process that answers questions; use it as a context manager, or close it."""

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        """Start the process.

        Args:
            command: Its interpreter first.
            name: What an error calls it.
            environment: Variables beside our own.
            folder: Where it runs; here by default.
        """
        self._name = name
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **environment, "OMP_NUM_THREADS": "1"},
            cwd=folder,
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
        self.close()

    def close(self) -> None:
        """End the process."""
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
        return "\n".join([f"{self._name} died; its last lines:", *tail])
