"""Leaving early, and the engine's clock beside the wall clock."""

import asyncio

import numpy as np
import pytest

from scoot_ray.core.request import Request
from tests.unit.trainables.simulator.served.conftest import ConstantCost
from trainables.clock import VirtualClock, WallClock
from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import Engine
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler_v1 import SchedulerV1
from trainables.simulator.served.live_engine import LiveEngine
from trainables.simulator.served.metrics_page import MetricsPage
from trainables.simulator.version import V1


@pytest.fixture
def engine(model: ModelShape, accelerator: Accelerator) -> Engine:
    config = EngineConfig.resolve({}, model)
    scheduler = SchedulerV1(config, BlockManager(100, config.block_size, True))
    memory = MemoryPlan(model, accelerator, config, V1)
    return Engine(scheduler, ConstantCost(0.01), memory, np.random.default_rng(0))


async def test_leaving_early_frees_the_blocks_wherever_the_request_is(engine: Engine) -> None:
    live = LiveEngine(engine, WallClock(), MetricsPage("m", 4096))
    running = asyncio.create_task(live.run())
    for wait_s in (0.0, 0.005, 0.05):  # not yet queued, in its first step, decoding
        with live.generate(Request(0.0, 50, 500)):
            await asyncio.sleep(wait_s)
    with live.generate(Request(0.0, 50, 3)) as generation:
        counts = [count async for count in generation.stream()]
    running.cancel()
    assert counts[-1] == 3
    assert engine.scheduler.num_unfinished == 0
    assert engine.scheduler.block_manager.num_used_blocks == 0


async def test_with_a_virtual_clock_it_is_the_virtual_engine(engine: Engine) -> None:
    """The same steps as the engine by itself: nothing depends on when tasks wake up."""
    live = LiveEngine(engine, VirtualClock(), MetricsPage("m", 4096))
    running = asyncio.create_task(live.run())
    with live.generate(Request(0.0, 50, 4)) as generation:
        counts = [count async for count in generation.stream()]
    running.cancel()
    assert counts[-1] == 4
    assert generation.sequence is not None
    assert list(generation.sequence.token_times_s) == pytest.approx(
        [0.01, 0.02, 0.03, 0.04], rel=0.1
    )
