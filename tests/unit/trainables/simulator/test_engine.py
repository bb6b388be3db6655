import numpy as np
import pytest

from scoot_ray.core.request import Request
from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import STEP_JITTER, Engine
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler_v1 import SchedulerV1


class ConstantCost:
    """A tenth of a second for every step; remembers how many tokens each one computed."""

    def __init__(self) -> None:
        self.num_tokens: list[int] = []

    def step_s(self, batch: Batch) -> float:
        self.num_tokens.append(batch.num_tokens)
        return 0.1


@pytest.fixture
def cost() -> ConstantCost:
    return ConstantCost()


@pytest.fixture
def engine(model: ModelShape, accelerator: Accelerator, cost: ConstantCost) -> Engine:
    config = EngineConfig.resolve({}, model)
    scheduler = SchedulerV1(config, BlockManager(500, config.block_size, True))
    memory = MemoryPlan(model, accelerator, config)
    return Engine(scheduler, cost, memory, np.random.default_rng(0))


def test_idle_time_is_skipped_and_steps_take_what_they_cost(engine: Engine) -> None:
    run = engine.run([Request(0.0, 10, 3), Request(50.0, 10, 1)], timeout_s=100.0)
    first, second = run.sequences
    assert first.token_times_s == pytest.approx([0.1, 0.2, 0.3], rel=4 * STEP_JITTER)
    assert second.token_times_s == pytest.approx([50.1], abs=0.01)
    assert run.end_s == second.finished_s


def test_steps_vary_a_little(engine: Engine) -> None:
    (sequence,) = engine.run([Request(0.0, 1, 500)], timeout_s=1000.0).sequences
    steps_s = np.diff(sequence.token_times_s)
    assert np.mean(steps_s) == pytest.approx(0.1, rel=0.005)
    assert np.std(steps_s) == pytest.approx(0.1 * STEP_JITTER, rel=0.2)


def test_a_request_is_computed_with_whoever_is_there(engine: Engine, cost: ConstantCost) -> None:
    engine.run([Request(0.0, 30, 3), Request(0.05, 20, 2)], timeout_s=100.0)
    assert cost.num_tokens == [30, 21, 2]


def test_late_requests_are_aborted_at_their_deadline(engine: Engine) -> None:
    run = engine.run([Request(0.0, 10, 1000), Request(0.0, 10, 5)], timeout_s=2.0)
    late, quick = run.sequences
    assert (late.error, late.finished_s) == ("timeout", 2.0)
    assert quick.error is None
    assert engine.scheduler.block_manager.num_used_blocks == 0


def test_the_cache_that_a_warm_up_filled_serves_the_load(
    engine: Engine, cost: ConstantCost
) -> None:
    request = Request(0.0, 100, 1, prefix_hashes=(1,), block_tokens=80)
    engine.run([request], timeout_s=100.0)
    run = engine.run([request], timeout_s=100.0)
    assert cost.num_tokens == [100, 20]
    assert run.sequences[0].num_cached_tokens == 80
    assert run.end_s < 0.2


def test_a_step_beyond_the_memory_ends_the_run(
    engine: Engine, model: ModelShape, accelerator: Accelerator
) -> None:
    config = EngineConfig.resolve({"gpu_memory_utilization": 0.986}, model)
    engine.memory = MemoryPlan(model, accelerator, config)
    small = engine.run([Request(0.0, 10, 2)], timeout_s=100.0)
    assert small.failure is None
    large = engine.run([Request(0.0, 10, 2), Request(5.0, 2000, 2)], timeout_s=100.0)
    assert large.failure is not None
    assert large.failure.cause == "out_of_memory"
    assert large.end_s >= 5.0
