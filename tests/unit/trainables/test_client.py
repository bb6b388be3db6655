"""The load client against a server whose timing is known."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from scoot_ray.core.request import Request, RequestRecord
from tests.stand_in_engine import StandIn
from trainables.client import LoadClient
from trainables.clock import WallClock
from trainables.engines.endpoint import Endpoint
from trainables.message import TokenIdWriter

# Sleeping never ends early; on a busy machine it ends late. How exact the client is, is measured by
# benchmarks/load_client.py.
TOLERANCE_S = 1.0


@asynccontextmanager
async def serving(
    stand_in: StandIn, folder: Path, *middlewares: Middleware
) -> AsyncIterator[Endpoint]:
    application = stand_in.application()
    application.middlewares.extend(middlewares)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    socket = folder / "s.sock"
    await web.UnixSite(runner, str(socket), backlog=8).start()
    try:
        yield Endpoint(model="m", socket=socket)
    finally:
        await runner.cleanup()


def requests_at(*arrivals_s: float, output_tokens: int = 5) -> list[Request]:
    return [Request(time_s, prompt_tokens=10, output_tokens=output_tokens) for time_s in arrivals_s]


async def replay(
    endpoint: Endpoint, requests: Sequence[Request], timeout_s: float = 30.0
) -> list[RequestRecord]:
    messages = TokenIdWriter(endpoint.model, 512, 0).write(requests)
    async with LoadClient(endpoint, WallClock(), timeout_s) as client:
        return await client.drain(await client.send(messages))


@pytest.mark.parametrize("tokens_per_chunk", [1, 3])
async def test_times_are_those_of_the_server(tmp_path: Path, tokens_per_chunk: int) -> None:
    stand_in = StandIn(ttft_s=0.1, tpot_s=0.02, tokens_per_chunk=tokens_per_chunk)
    async with serving(stand_in, tmp_path) as endpoint:
        (record,) = await replay(endpoint, requests_at(0.05, output_tokens=10))
    assert record.error is None
    assert record.output_tokens == 10
    assert record.tpot_s is not None
    assert 0.1 <= record.ttft_s < 0.1 + TOLERANCE_S
    assert 0.019 <= record.tpot_s < 0.02 + TOLERANCE_S
    assert len(record.token_gaps_s) == 9
    assert record.first_token_s is not None
    assert record.last_token_s is not None
    assert sum(record.token_gaps_s) == pytest.approx(record.last_token_s - record.first_token_s)


async def test_requests_are_sent_on_time_whatever_the_server_does(tmp_path: Path) -> None:
    arrivals_s = [0.0, 0.05, 0.1, 0.15]
    async with serving(StandIn(ttft_s=5.0), tmp_path) as endpoint:
        records = await replay(endpoint, requests_at(*arrivals_s))
    assert [record.due_s for record in records] == arrivals_s
    # All are on their way before the first answer: nothing waited for anything.
    assert max(record.sent_s for record in records) < 5.0
    assert all(record.lag_s >= 0 for record in records)
    assert all(record.completed for record in records)


async def test_more_requests_at_once_than_the_queue_of_new_connections_holds(
    tmp_path: Path,
) -> None:
    stand_in = StandIn(fault="hang")
    messages = TokenIdWriter("m", 512, 0).write(requests_at(*[0.0] * 150))
    async with (
        serving(stand_in, tmp_path) as endpoint,
        LoadClient(endpoint, WallClock(), 100.0) as client,
    ):
        await client.send(messages)
        async with asyncio.timeout(60):
            # None is answered, so all of them are there only if none waits for another.
            while stand_in.num_requests < 150:  # noqa: ASYNC110, a count that others raise
                await asyncio.sleep(0.05)


async def test_a_late_client_records_its_lag(tmp_path: Path) -> None:
    class LateClock(WallClock):
        async def sleep_until(self, time_s: float) -> None:
            await super().sleep_until(time_s + 0.1)

    async with serving(StandIn(), tmp_path) as endpoint:
        messages = TokenIdWriter("m", 512, 0).write(requests_at(0.0))
        async with LoadClient(endpoint, LateClock(), 30.0) as client:
            (record,) = await client.drain(await client.send(messages))
    assert record.lag_s >= 0.1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang", "timeout"),
        ("errors", "http 500: engine is dead"),
        ("error_event", 'data: {"error": {"message": "engine is dead"}}'),
        ("cut_off", "connection: the answer was cut off"),
        ("short", "length: expected 5 tokens, got 4"),
    ],
)
async def test_faults_are_recorded(tmp_path: Path, fault: str, error: str) -> None:
    async with serving(StandIn(fault=fault), tmp_path) as endpoint:
        (record,) = await replay(endpoint, requests_at(0.0), timeout_s=0.3)
    assert record.error == error
    assert not record.completed


async def test_one_failure_leaves_the_others_alone(tmp_path: Path) -> None:
    async with serving(StandIn(fault="errors", faulty_from=2), tmp_path) as endpoint:
        records = await replay(endpoint, requests_at(0.0, 0.1, 0.2))
    assert [record.completed for record in records] == [True, True, False]


def refused_socket(folder: Path) -> Endpoint:
    return Endpoint(model="m", socket=folder / "nobody.sock")


def refused_port(_: Path) -> Endpoint:
    return Endpoint(model="m", url="http://127.0.0.1:9")


@pytest.mark.parametrize("endpoint_in", [refused_socket, refused_port])
async def test_a_server_that_is_not_there(
    tmp_path: Path, endpoint_in: Callable[[Path], Endpoint]
) -> None:
    (record,) = await replay(endpoint_in(tmp_path), requests_at(0.0))
    assert record.error is not None
    assert record.error.startswith("connection: ")
    assert record.first_token_s is None


async def test_an_idle_connection_is_used_again(tmp_path: Path) -> None:
    connections: set[object] = set()

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        connections.add(request.transport)
        return await handler(request)

    async with serving(StandIn(), tmp_path, note) as endpoint:
        records = await replay(endpoint, requests_at(0.0, 0.2, 0.4))
    assert [record.error for record in records] == [None] * 3
    assert len(connections) == 1


async def test_progress_tells_the_tokens_so_far(tmp_path: Path) -> None:
    async with serving(StandIn(tpot_s=0.05, tokens_per_chunk=2), tmp_path) as endpoint:
        messages = TokenIdWriter("m", 512, 0).write(requests_at(0.0, output_tokens=1000))
        async with LoadClient(endpoint, WallClock(), 30.0) as client:
            await client.send(messages)
            await asyncio.sleep(0.4)
            (running,) = client.progress().in_flight
    # The first token comes alone, the others in pairs, every 100 ms at the soonest.
    assert running.num_tokens in (1, 3, 5, 7, 9)


async def test_leaving_the_client_abandons_what_is_in_flight(tmp_path: Path) -> None:
    async with serving(StandIn(fault="hang"), tmp_path) as endpoint:
        messages = TokenIdWriter("m", 512, 0).write(requests_at(0.0))
        async with LoadClient(endpoint, WallClock(), 30.0) as client:
            (task,) = await client.send(messages)
            await asyncio.sleep(0.05)
        assert task.cancelled()
