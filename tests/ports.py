"""Ports for the servers of tests, that nobody takes between being chosen and being bound."""

import contextlib
import os
from itertools import cycle
from socket import socket

# Above the engines' ports and below those that the kernel hands out by itself, to whoever asks.
FIRST_PORT, PORTS_EACH = 24_000, 1_000
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_ports = cycle(range(FIRST_PORT + PORTS_EACH * _worker, FIRST_PORT + PORTS_EACH * (_worker + 1)))


def free_port() -> int:
    """Return a port that is free, and that this run's tests get once."""
    for port in _ports:
        with contextlib.suppress(OSError), socket() as probe:
            probe.bind(("", port))
            break
    return port
