"""Where a server listens: an address that is its own from before it starts until it has ended."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from socket import socket
from typing import Protocol

from scoot_ray.core.errors import InfrastructureError

FIRST_PORT, PORTS_EACH = 20_000, 100  # below the ports that the kernel hands out by itself


class Address(Protocol):
    """Hold one server's address."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words by which the server is told."""
        ...

    @property
    def url(self) -> str:
        """Scheme, host and port for a client."""
        ...

    @property
    def path(self) -> Path | None:
        """The Unix socket that a client connects to; None for TCP."""
        ...

    def release(self) -> None:
        """Give the address back, once the server has ended."""
        ...


class UnixSocket:
    """A socket in a folder of its own: there is no port to be taken."""

    url = "http://localhost"

    def __init__(self, replica: int = 0) -> None:
        # Not in the trial's folder: the path of a socket may have at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="scoot-"))
        self.path: Path | None = self._folder / "engine.sock"
        self.arguments: tuple[str, ...] = ("--uds", str(self.path))

    def release(self) -> None:
        """Remove the socket and its folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


class LoopbackPort:
    """A TCP port on a loopback address that no other process uses, for one of a trial's replicas.

    Servers that know no Unix sockets bind their port long after they were told it, and some of
    them without SO_REUSEADDR, so that a port cannot be held for them. But all of 127/8 is this
    machine: a trial takes an address made of its process id, where nobody else asks for ports,
    and each of its replicas has a range of its own there.
    """

    path: Path | None = None

    def __init__(self, replica: int = 0) -> None:
        host = loopback_host(os.getpid())
        port = _first_free_port(host, FIRST_PORT + PORTS_EACH * replica)
        self.arguments: tuple[str, ...] = ("--host", host, "--port", str(port))
        self.url = f"http://{host}:{port}"

    def release(self) -> None:
        """Do nothing: the port is free as soon as the server has ended."""


def loopback_host(pid: int) -> str:
    """Return the loopback address of a process: one for each of Linux's 2**22 process ids."""
    return f"127.{64 + (pid >> 16) % 64}.{pid >> 8 & 255}.{pid & 255}"


def _first_free_port(host: str, first: int) -> int:
    """Skip the ports that somebody serves on all addresses."""
    for port in range(first, first + PORTS_EACH):
        with contextlib.suppress(OSError), socket() as probe:
            probe.bind((host, port))
            return port
    raise InfrastructureError(
        f"No port from {first} to {first + PORTS_EACH - 1} is free on {host}; end the servers that "
        "listen there on all addresses."
    )
