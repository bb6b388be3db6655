import numpy as np
import pytest

from scoot_ray.core.request import Request
from trainables.hardware import Accelerator
from trainables.model import ModelShape
from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import STEP_JITTER, Engine, EngineDeathError
from trainables.simulator.fleet import Fleet
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.scheduler_v1 import SchedulerV1
from trainables.simulator.sequence import Sequence
from trainables.simulator.timeline import Timeline
from trainables.simulator.version import V1


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
    memory = MemoryPlan(model, accelerator, config, V1)
    return Engine(scheduler, cost, memory, np.random.default_rng(0), timeout_s=1000.0)


def serve(engine: Engine, *requests: Request) -> list[Sequence]:
    """Serve requests from time 0; return them in the order of arrival."""
    return sorted(Fleet([engine]).serve(requests), key=lambda sequence: sequence.number)


def test_idle_time_is_skipped_and_steps_take_what_they_cost(engine: Engine) -> None:
    first, second = serve(engine, Request(0.0, 10, 3), Request(50.0, 10, 1))
    assert first.token_times_s == pytest.approx([0.1, 0.2, 0.3], rel=4 * STEP_JITTER)
    assert second.token_times_s == pytest.approx([50.1], abs=0.01)
    assert engine.now_s == second.finished_s


def test_steps_vary_a_little(engine: Engine) -> None:
    (sequence,) = serve(engine, Request(0.0, 1, 500))
    steps_s = np.diff(sequence.token_times_s)
    assert np.mean(steps_s) == pytest.approx(0.1, rel=0.005)
    assert np.std(steps_s) == pytest.approx(0.1 * STEP_JITTER, rel=0.2)


def test_a_request_is_computed_with_whoever_is_there(engine: Engine, cost: ConstantCost) -> None:
    serve(engine, Request(0.0, 30, 3), Request(0.05, 20, 2))
    assert cost.num_tokens == [30, 21, 2]


def test_late_requests_are_aborted_at_their_deadline(engine: Engine) -> None:
    engine.timeout_s = 2.0
    late, quick = serve(engine, Request(0.0, 10, 1000), Request(0.0, 10, 5))
    assert (late.error, late.finished_s) == ("timeout", 2.0)
    assert quick.error is None
    assert engine.scheduler.block_manager.num_used_blocks == 0


def test_the_cache_that_a_warm_up_filled_serves_the_load(
    engine: Engine, cost: ConstantCost
) -> None:
    request = Request(0.0, 100, 1, prefix_hashes=(1,), block_tokens=80)
    serve(engine, request)
    (sequence,) = serve(engine, request)
    assert cost.num_tokens == [100, 20]
    assert sequence.num_cached_tokens == 80
    assert engine.now_s < 0.2


def test_a_step_beyond_the_memory_kills_the_engine(
    engine: Engine, model: ModelShape, accelerator: Accelerator
) -> None:
    config = EngineConfig.resolve({"gpu_memory_utilization": 0.986}, model)
    engine.memory = MemoryPlan(model, accelerator, config, V1)
    serve(engine, Request(0.0, 10, 2))
    with pytest.raises(EngineDeathError, match="GPU memory ran out") as caught:
        serve(engine, Request(0.0, 10, 2), Request(5.0, 2000, 2))
    assert caught.value.failure.cause == "out_of_memory"
    assert engine.now_s >= 5.0


def test_a_timeline_samples_every_step(engine: Engine, cost: ConstantCost) -> None:
    engine.timeline = Timeline()
    serve(engine, Request(0.0, 30, 3), Request(0.05, 20, 2))
    samples = engine.timeline.samples
    assert [(s.num_prefill_tokens, s.num_decode_tokens) for s in samples] == [
        (30, 0),
        (20, 1),
        (0, 2),
    ]
    assert [s.num_running for s in samples] == [1, 2, 2]
    assert samples[1].start_s == pytest.approx(samples[0].start_s + samples[0].duration_s)
    assert samples[1].kv_usage == 4 / 500


def test_the_router_prefers_the_engine_with_the_least_to_do(
    model: ModelShape, accelerator: Accelerator
) -> None:
    config = EngineConfig.resolve({}, model)
    memory = MemoryPlan(model, accelerator, config, V1)
    engines = [
        Engine(
            SchedulerV1(config, BlockManager(500, config.block_size, True)),
            ConstantCost(),
            memory,
            np.random.default_rng(number),
        )
        for number in range(2)
    ]
    long, short = Request(0.0, 10, 100), Request(0.0, 10, 1)
    later = Request(1.0, 10, 1)
    served = list(Fleet(engines).serve([long, short, later, later]))
    assert len(served) == 4
    # The long one keeps the first engine busy; the second is free again when the others come.
    assert engines[0].scheduler.block_manager.num_used_blocks == 0
    assert [engine.now_s > 5.0 for engine in engines] == [True, False]
