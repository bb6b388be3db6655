"""Where a started engine answers."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiohttp

POLL_S = 0.2


@dataclass(frozen=True)
class Endpoint:
    """Name the address of an OpenAI-compatible server.

    Attributes:
        model: The name that requests must carry.
        url: Scheme, host and port.
        socket: The Unix socket to connect to; None for TCP to the host and port in `url`.
    """

    model: str
    url: str = "http://localhost"
    socket: Path | None = None

    def connector(self) -> aiohttp.BaseConnector:
        """Return a connector that opens as many connections as there are requests in flight.

        A connection serves one request: reusing one that the server is about to close would fail
        now and then, and that failure would be ours.
        """
        if self.socket is None:
            return aiohttp.TCPConnector(limit=0, force_close=True)
        return aiohttp.UnixConnector(path=str(self.socket), limit=0, force_close=True)

    async def is_healthy(self) -> bool:
        """Ask the server's /health."""
        try:
            async with (
                aiohttp.ClientSession(connector=self.connector()) as session,
                session.get(f"{self.url}/health", timeout=aiohttp.ClientTimeout(total=10)) as reply,
            ):
                return reply.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def wait_until_healthy(self) -> None:
        """Return once the server is healthy."""
        while True:
            if await self.is_healthy():
                return
            await asyncio.sleep(POLL_S)
