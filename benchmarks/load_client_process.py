"""One load on the timing server, in a process of its own: by our client, or by a plain loop.

    python -m benchmarks.load_client_process ours|plain --url URL [--uds PATH] --rate R --num N

Prints one line of JSON: what the client itself saw.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import aiohttp
import numpy as np
import typer
import uvloop

from benchmarks.entry import run_command
from benchmarks.timing_server import MODEL
from scoot_ray.core.metrics import summarize
from scoot_ray.core.request import Request, RequestRecord
from trainables.client import LoadClient
from trainables.clock import WallClock
from trainables.engines.endpoint import Endpoint
from trainables.message import Message, TokenIdWriter

PROMPT_TOKENS, OUTPUT_TOKENS = 32, 64
VOCAB_SIZE = 512
TIMEOUT_S = 60.0
TOLD = ("schedule_lag_p99_s", "ttft_mean_s", "tpot_mean_s")


def make_requests(rate_rps: float, num_requests: int) -> list[Request]:
    """Return Poisson arrivals, the same for every client."""
    gaps_s = np.random.default_rng(0).exponential(1 / rate_rps, num_requests)
    times_s = np.cumsum(gaps_s).tolist()
    return [Request(time_s, PROMPT_TOKENS, OUTPUT_TOKENS) for time_s in times_s]


async def replay_ours(endpoint: Endpoint, messages: Sequence[Message]) -> list[RequestRecord]:
    """Replay with the client of a trial."""
    async with LoadClient(endpoint, WallClock(), TIMEOUT_S) as client:
        return await client.drain(await client.send(messages))


async def replay_plainly(endpoint: Endpoint, messages: Sequence[Message]) -> list[RequestRecord]:
    """Replay as one writes it at first: a pooled session, a loop over lines, JSON parsed."""
    async with aiohttp.ClientSession(endpoint.url) as session:
        start_s = time.perf_counter()
        tasks = []
        for message in messages:
            await asyncio.sleep(start_s + message.request.arrival_s - time.perf_counter())
            tasks.append(asyncio.create_task(_exchange(session, message, start_s)))
        return await asyncio.gather(*tasks)


async def _exchange(
    session: aiohttp.ClientSession, message: Message, start_s: float
) -> RequestRecord:
    sent_s = time.perf_counter() - start_s
    body = json.loads(message.body)
    times_s: list[float] = []
    async with session.post(message.path, json=body) as reply:
        async for line in reply.content:
            if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                continue
            event = json.loads(line[6:])
            if event["choices"]:
                times_s.append(time.perf_counter() - start_s)
    request = message.request
    return RequestRecord(
        due_s=request.arrival_s,
        sent_s=sent_s,
        first_token_s=times_s[0],
        last_token_s=times_s[-1],
        finished_s=times_s[-1],
        prompt_tokens=request.prompt_tokens,
        output_tokens=len(times_s),
        token_gaps_s=np.diff(times_s).tolist(),
    )


Replay = Callable[[Endpoint, Sequence[Message]], Awaitable[list[RequestRecord]]]
CLIENTS: Mapping[str, tuple[Replay, Callable[[], asyncio.AbstractEventLoop]]] = {
    "ours": (replay_ours, uvloop.new_event_loop),
    "plain": (replay_plainly, asyncio.new_event_loop),
}


async def _run(replay: Replay, endpoint: Endpoint, messages: Sequence[Message]) -> str:
    records = await replay(endpoint, messages)
    errors = {record.error for record in records} - {None}
    if errors:
        raise SystemExit(f"requests failed: {errors}")
    metrics = summarize(records)
    return json.dumps({name: metrics[name] for name in TOLD})


def main(
    client: Annotated[str, typer.Argument(help="ours or plain.")],
    url: Annotated[str, typer.Option(help="Of the server.")],
    rate: Annotated[float, typer.Option(help="Requests per second.")],
    num: Annotated[int, typer.Option(help="Requests.")],
    uds: Annotated[Path | None, typer.Option(help="Unix socket of the server.")] = None,
) -> None:
    """Replay one load and print what the client saw."""
    replay, loop_factory = CLIENTS[client]
    endpoint = Endpoint(MODEL, url=url, socket=uds)
    messages = TokenIdWriter(MODEL, VOCAB_SIZE, 0).write(make_requests(rate, num))
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        print(runner.run(_run(replay, endpoint, messages)))


if __name__ == "__main__":
    run_command(main)
