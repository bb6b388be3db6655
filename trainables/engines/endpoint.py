"""Where a started engine answers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from trainables.engines.counters import parse_counters

POLL_S = 0.2
REFUSALS = (400, 422)
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
        health_path: What it answers with status 200 when it is healthy.
        headers: Sent with every request; an API key is never shown.
        others: Further replicas, among which requests are divided.
    """

    model: str
    url: str = "http://localhost"
    socket: Path | None = None
    counters: Mapping[str, str] = field(default_factory=dict)
    takes_token_ids: bool = True
    health_path: str = "/health"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    others: tuple["Endpoint", ...] = ()

    def beside(self, others: Sequence["Endpoint"]) -> "Endpoint":
        """Return this endpoint with further replicas."""
        return replace(self, others=tuple(others))

    @property
    def replicas(self) -> tuple["Endpoint", ...]:
        """This endpoint alone, and each of the others."""
        return (replace(self, others=()), *self.others)

    @property
    def health_url(self) -> str:
        """The address that says whether the server is healthy."""
        return f"{self.url}{self.health_path}"

    def session(self) -> aiohttp.ClientSession:
        """Return a session for requests to this replica that are not measured."""
        connector = None if self.socket is None else aiohttp.UnixConnector(str(self.socket))
        return aiohttp.ClientSession(connector=connector, headers=dict(self.headers))

    async def is_healthy(self) -> bool:
        """Ask whether every replica is healthy."""
        return all(await asyncio.gather(*(_is_healthy(one) for one in self.replicas)))

    async def wait_until_healthy(self) -> None:
        """Return once every replica is healthy."""
        while True:
            if await self.is_healthy():
                return
            await asyncio.sleep(POLL_S)

    async def read_counters(self) -> dict[str, float]:
        """Read the counters and add them up; a replica without a /metrics page has none."""
        total: dict[str, float] = {}
        for counters in await asyncio.gather(*(_read_counters(one) for one in self.replicas)):
            for name, value in counters.items():
                total[name] = total.get(name, 0.0) + value
        return total

    async def count_prompt_tokens(self, path: str, body: bytes) -> int | None:
        """Send one request and return how many prompt tokens the server says it had.

        Returns:
            None if the server refuses or does not say; a load would tell the reason.
        """
        try:
            async with self.session() as session, self._post(session, path, body) as reply:
                answer = await reply.json() if reply.ok else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
        count = (answer.get("usage") or {}).get("prompt_tokens")
        return count if isinstance(count, int) else None

    async def refuses(self, path: str, body: bytes) -> bool:
        """Send one request and tell whether the server calls it malformed.

        A server that is busy, or fails otherwise, has not said so; a load would tell the reason.
        """
        try:
            async with self.session() as session, self._post(session, path, body) as reply:
                return reply.status in REFUSALS
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def _post(
        self, session: aiohttp.ClientSession, path: str, body: bytes
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {"Content-Type": "application/json"}
        return session.post(f"{self.url}{path}", data=body, headers=headers, timeout=ANSWER_LIMIT)


async def _is_healthy(replica: Endpoint) -> bool:
    try:
        async with (
            replica.session() as session,
            session.get(replica.health_url, timeout=ANSWER_LIMIT) as reply,
        ):
            return reply.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def _read_counters(replica: Endpoint) -> dict[str, float]:
    try:
        async with (
            replica.session() as session,
            session.get(f"{replica.url}/metrics", timeout=ANSWER_LIMIT) as reply,
        ):
            return parse_counters(await reply.text(), replica.counters) if reply.ok else {}
    except (aiohttp.ClientError, OSError, TimeoutError):
        return {}
