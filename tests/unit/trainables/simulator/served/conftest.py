"""A served engine whose steps take a known time, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from trainables.clock import WallClock
from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import Engine, EngineDeathError
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler_v1 import SchedulerV1
from trainables.simulator.served.fault import Fault
from trainables.simulator.served.live_engine import LiveEngine
from trainables.simulator.served.metrics_page import MetricsPage
from trainables.simulator.served.server import Server
from trainables.simulator.version import V1

MODEL = "small"


@dataclass
class ConstantCost:
    """The same time for every step."""

    seconds: float

    def step_s(self, batch: Batch) -> float:
        return self.seconds


@dataclass
class Served:
    """A server under test, with what is inside it."""

    client: TestClient[web.Request, web.Application]
    engine: Engine
    config: EngineConfig


ServedMaker = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serving(model: ModelShape, accelerator: Accelerator) -> ServedMaker:
    @asynccontextmanager
    async def serve(
        fault: str | None = None, *, step_s: float = 0.002, num_blocks: int = 400, **flags: int
    ) -> AsyncIterator[Served]:
        config = EngineConfig.resolve({"max_model_len": 2048, **flags}, model)
        manager = BlockManager(num_blocks, config.block_size, True)
        memory = MemoryPlan(model, accelerator, config, V1)
        rng = np.random.default_rng(0)
        engine = Engine(SchedulerV1(config, manager), ConstantCost(step_s), memory, rng)
        page = MetricsPage(MODEL, config.max_model_len)
        live = LiveEngine(
            engine,
            WallClock(),
            page,
            stream_interval=config.stream_interval,
            fault=Fault.parse(fault) if fault else None,
        )
        server = TestServer(Server(live, MODEL, config, page).application())
        async with TestClient(server) as client:
            running = asyncio.create_task(live.run())
            try:
                yield Served(client, engine, config)
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError, EngineDeathError):
                    await running

    return serve
