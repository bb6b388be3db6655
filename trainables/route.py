"""The way from the load client to one replica."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

from trainables.connection import Connection
from trainables.engines.endpoint import Endpoint
from trainables.message import Message

IDLE_S = 1.0
"""How long a connection may be idle; servers keep one for 5 s (uvicorn, so all three engines)."""


class Route:
    """Send requests to one replica; used around each of them, which counts those in flight.

    A request has a connection of its own. One that is idle is used again, but not for long: the
    request that meets a server which is about to close it would fail, and that failure would be
    ours.

    Attributes:
        num_in_flight: Requests that have been sent and not answered to the end.
    """

    def __init__(self, replica: Endpoint) -> None:
        self.num_in_flight = 0
        self._socket = replica.socket
        self._url = urlsplit(replica.url)
        # One for all connections: making it reads every certificate that this machine trusts.
        self._tls = ssl.create_default_context() if self._url.scheme == "https" else None
        self._idle: list[tuple[float, Connection]] = []
        headers = {
            "Host": self._url.netloc.rpartition("@")[2],
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            **replica.headers,
        }
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def __enter__(self) -> Self:
        self.num_in_flight += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.num_in_flight -= 1

    async def post(self, message: Message, take: Callable[[bytes], object]) -> tuple[int, str]:
        """Send a message and return once it is answered; see `Connection.exchange`."""
        connection = self._idle_connection() or await self._connect()
        try:
            return await connection.exchange(self._head(message) + message.body, take)
        finally:
            if connection.is_free:
                self._idle.append((asyncio.get_running_loop().time(), connection))
            else:
                connection.close()

    def close(self) -> None:
        """Close the connections that are idle."""
        for _, connection in self._idle:
            connection.close()
        self._idle.clear()

    def _idle_connection(self) -> Connection | None:
        """Return the one that has been idle for the shortest time, if that is short enough."""
        while self._idle:
            since_s, connection = self._idle.pop()
            if connection.is_free and asyncio.get_running_loop().time() - since_s < IDLE_S:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        if self._socket is not None:
            return (await loop.create_unix_connection(Connection, str(self._socket)))[1]
        host, port = self._url.hostname or "", self._url.port or (443 if self._tls else 80)
        return (await loop.create_connection(Connection, host, port, ssl=self._tls))[1]

    def _head(self, message: Message) -> bytes:
        start = f"POST {self._url.path.rstrip('/')}{message.path} HTTP/1.1\r\n{self._headers}"
        return f"{start}Content-Length: {len(message.body)}\r\n\r\n".encode("latin-1")
