"""The page on Ray Serve: a Ray of its own on this machine, one replica, one HTTP proxy."""

import errno
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.config import HTTPOptions, ProxyLocation

from scoot_ray.core.errors import ServiceError
from scoot_ray.service.api import create_api
from scoot_ray.service.guard import Access
from scoot_ray.service.studies import Studies
from scoot_ray.service.tuners import Tuners


@dataclass(frozen=True)
class Site:
    """Say what is served, and where.

    Attributes:
        root: Folder of the studies.
        host: Address that is listened on.
        port: Its port.
        token_digest: Of the token that is asked for (`guard.digest_of`); None for none.
    """

    root: Path
    host: str
    port: int
    token_digest: bytes | None = None

    def require_usable(self) -> None:
        """Check it before anything is started.

        Raises:
            OutputError: If the folder cannot hold studies.
            ServiceError: If the address would be open to everybody, or cannot be listened on.
        """
        Studies.below(self.root)
        if not self.is_loopback and self.token_digest is None:
            raise ServiceError(
                f"--host {self.host} can be reached from other machines, and whoever reaches the "
                "page can start programs: give a token with --token-file, or keep 127.0.0.1."
            )
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except (OSError, OverflowError) as error:
                used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
                reason = "the port is in use" if used else str(error)
                raise ServiceError(
                    f"Cannot listen on {self.host}:{self.port}: {reason}; give another --port."
                ) from None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@serve.ingress()
class Page:
    """The replica that answers."""

    def __init__(self, site: Site, environment: Mapping[str, str]) -> None:
        self._site = site
        self._environment = environment

    def __serve_build_asgi_app__(self) -> FastAPI:
        site = self._site
        access = Access(site.token_digest, only_loopback=site.is_loopback)
        return create_api(Studies.below(site.root), Tuners(self._environment), access)


def serve_until_stopped(site: Site) -> None:
    """Serve the page until SIGINT or SIGTERM comes; studies that were started go on.

    Raises:
        UserError: As `Site.require_usable`.
    """
    site.require_usable()
    environment = dict(os.environ)  # before Ray adds its own
    with _local_ray(), _stop_signal() as stop:
        options = HTTPOptions(host=site.host, port=site.port)
        serve.start(proxy_location=ProxyLocation.HeadOnly, http_options=options)
        deployed = serve.deployment(ray_actor_options={"num_cpus": 0}, max_ongoing_requests=32)
        serve.run(deployed(Page).bind(site, environment), name="scoot", route_prefix="/")
        sys.stdout.write(f"SCOOT-Ray: {site.url}   studies: {site.root}   Ctrl-C ends the page\n")
        sys.stdout.flush()
        stop.wait()
    sys.stdout.write("The page has ended; studies that it started go on.\n")


@contextmanager
def _local_ray() -> Iterator[None]:
    """Run a Ray of our own.

    Some of its ports listen on all addresses whatever it is told, so its token is always asked for.
    """
    os.environ.pop("RAY_AUTH_MODE", None)  # a local Ray then has a token, made where there is none
    # Fewer lines about what a person who looks at a page need not know.
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    logging.getLogger("ray._private.authentication.authentication_token_setup").setLevel(
        logging.ERROR
    )
    ray.init(
        address="local",
        num_cpus=1,
        num_gpus=0,
        include_dashboard=False,
        logging_level=logging.WARNING,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        # A study inherits both from the replica that starts it, and is no less than a terminal's.
        _system_config={"worker_niceness": 0, "worker_oom_score_adjustment": 0},
    )
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Set an event at SIGINT and SIGTERM; entered after `ray.init`, which has handlers too."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
