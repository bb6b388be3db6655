"""Where a started engine answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from trainables.engines.counters import parse_counters

POLL_S = 0.2
ANSWER_LIMIT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Endpoint:
    """Name the address of an OpenAI-compatible server.

    Attributes:
        model: The name that requests must carry.
        url: Scheme, host and port.
        socket: The Unix socket to connect to; None for TCP to the host and port in `url`.
        counters: What its /metrics page calls the counters that we read, by our names.
        takes_token_ids: Its completions take a prompt as a list of token ids.
    """

    model: str
    url: str = "http://localhost"
    socket: Path | None = None
    counters: Mapping[str, str] = field(default_factory=dict)
    takes_token_ids: bool = True

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
                session.get(f"{self.url}/health", timeout=ANSWER_LIMIT) as reply,
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

    async def read_counters(self) -> dict[str, float]:
        """Read the engine's counters; empty where it has no /metrics page that answers."""
        try:
            async with (
                aiohttp.ClientSession(connector=self.connector()) as session,
                session.get(f"{self.url}/metrics", timeout=ANSWER_LIMIT) as reply,
            ):
                return parse_counters(await reply.text(), self.counters) if reply.ok else {}
        except (aiohttp.ClientError, OSError, TimeoutError):
            return {}

    async def count_prompt_tokens(self, path: str, body: bytes) -> int | None:
        """Send one request and return how many prompt tokens the server says it had.

        Returns:
            None if the server refuses or does not say; a load would tell the reason.
        """
        headers = {"Content-Type": "application/json"}
        try:
            async with (
                aiohttp.ClientSession(connector=self.connector()) as session,
                session.post(
                    f"{self.url}{path}", data=body, headers=headers, timeout=ANSWER_LIMIT
                ) as reply,
            ):
                answer = await reply.json() if reply.ok else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
        count = (answer.get("usage") or {}).get("prompt_tokens")
        return count if isinstance(count, int) else None
