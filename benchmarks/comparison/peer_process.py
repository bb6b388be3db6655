"""A peer in its own environment: one process, asked by JSON lines (`benchmarks.peers`)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison.line_process import LineProcess
from scoot_ray.core.errors import StudyError

PEERS_PYTHON = Path(".venv-peers/bin/python")


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

    def start(self) -> LineProcess:
        """Start a process in which any peer can be asked.

        Raises:
            StudyError: If the environment is missing.
        """
        self.require()
        python = self.python.absolute()
        variables = {
            # Ax compiles a part of its acquisition function where it finds ninja.
            "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
            # Only the package `peers` is to be found there, nothing of ours beside it.
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        }
        return LineProcess([str(python), "-P", "-m", "peers"], "A peer's process", variables)


def peer_versions(environment: PeerEnvironment, names: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages in the peers' environment."""
    with environment.start() as process:
        versions: dict[str, str] = process.ask({"versions": list(names)})["versions"]
        return versions
