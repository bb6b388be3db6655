"""Where the server listens: a port, or a Unix socket."""

import socket
from dataclasses import dataclass, replace
from pathlib import Path

from scoot_ray.core.errors import UserError


@dataclass(frozen=True)
class Address:
    """Name the place to listen at.

    Attributes:
        host: Interface; the loopback one unless others may come in.
        port: 0 takes any that is free.
        uds: A Unix socket to use instead.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    uds: Path | None = None

    def bind(self) -> socket.socket:
        """Take the address; as in vLLM, connections are refused until somebody listens.

        Raises:
            UserError: If it is taken, or cannot be had.
        """
        listener = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            if self.uds is None:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(str(self.uds) if self.uds else (self.host, self.port))
        except OSError as error:
            listener.close()
            advice = "choose another with --uds" if self.uds else "choose another with --port"
            raise UserError(f"Cannot listen at {self}: {error.strerror}; {advice}.") from None
        return listener

    @property
    def _family(self) -> socket.AddressFamily:
        if self.uds is not None:
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def release(self) -> None:
        """Remove what listening leaves behind."""
        if self.uds is not None:
            self.uds.unlink(missing_ok=True)

    def of(self, listener: socket.socket) -> str:
        """Return what clients connect to, with the port that was found free."""
        return str(self if self.uds else replace(self, port=listener.getsockname()[1]))

    def __str__(self) -> str:
        return str(self.uds) if self.uds else f"http://{self.host}:{self.port}"
