"""Watching a server's /health: it may be dead, or stuck, while its process lives on."""

import asyncio

import aiohttp

from trainables.engines.endpoint import Endpoint

POLL_S = 0.3
ILL = 500
NUM_ILL_ANSWERS = 2  # in a row: one may be a hiccup, two are still seen within a second


async def until_any_ill(endpoint: Endpoint, *, patience_s: float) -> str:
    """Return why, as soon as one of the replicas is no more healthy."""
    watches = [
        asyncio.ensure_future(until_ill(one, patience_s=patience_s)) for one in endpoint.replicas
    ]
    try:
        done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


async def until_ill(endpoint: Endpoint, *, patience_s: float) -> str:
    """Return why, as soon as a server that was healthy is no more.

    A server whose engine has died says so at once (vLLM answers 503 while it goes down). One that
    says nothing may only be busy, and is given `patience_s` seconds.
    """
    loop = asyncio.get_running_loop()
    answered_s, num_ill = loop.time(), 0
    limit = aiohttp.ClientTimeout(total=patience_s)
    async with endpoint.session() as session:
        while True:
            status = await _ask(session, endpoint.health_url, limit)
            if status is not None:
                answered_s = loop.time()
                num_ill = num_ill + 1 if status >= ILL else 0
            if num_ill == NUM_ILL_ANSWERS:
                return f"It answered with status {status}."
            if loop.time() - answered_s >= patience_s:
                return f"It did not answer for {patience_s:g} s."
            await asyncio.sleep(POLL_S)


async def _ask(
    session: aiohttp.ClientSession, url: str, limit: aiohttp.ClientTimeout
) -> int | None:
    """Return the status of the answer; None if there is none."""
    try:
        async with session.get(url, timeout=limit) as reply:
            return reply.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None
