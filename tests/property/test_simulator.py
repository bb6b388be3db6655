"""Conservation laws of the simulated engine: of requests, tokens, blocks and budgets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoot_ray.core.request import Request
from trainables.hardware import find_accelerator
from trainables.model import load_model_shape
from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import Engine
from trainables.simulator.fleet import Fleet
from trainables.simulator.memory import MemoryPlan
from trainables.simulator.prefix_tree import Run
from trainables.simulator.scheduler import Scheduler
from trainables.simulator.sequence import Sequence
from trainables.simulator.step_cost import RooflineCost
from trainables.simulator.version import V0, V1, EngineVersion

MAX_MODEL_LEN = 256
MODEL = load_model_shape("meta-llama/Llama-2-7b-hf")
ACCELERATOR = find_accelerator("A100-80GB")


class CheckedCost(RooflineCost):
    """Check the laws that hold in every step; a step is priced while its blocks are held."""

    scheduler: Scheduler

    def step_s(self, batch: Batch) -> float:
        """Check, then price."""
        config, manager = self.config, self.scheduler.block_manager
        assert batch.num_tokens <= config.max_num_batched_tokens
        assert batch.num_seqs <= len(self.scheduler.running) <= config.max_num_seqs
        assert manager.num_free_blocks + manager.num_used_blocks == manager.num_blocks
        assert batch.num_decodes in (0, len(self.scheduler.decoding))
        prefilling = [sequence.number for sequence, _ in batch.prefills]
        assert len(set(prefilling)) == len(prefilling)
        assert set(prefilling) <= self.scheduler.prefilling.keys()
        queued = [*self.scheduler.running.values(), *self.scheduler.waiting]
        assert queued == sorted(queued, key=lambda sequence: sequence.number)
        self.check_blocks(batch)
        seconds = super().step_s(batch)
        assert seconds > 0
        return seconds

    def check_blocks(self, batch: Batch) -> None:
        """Count the blocks that sequences hold: those known once, and everybody's own."""
        scheduler, size = self.scheduler, self.config.block_size
        runs: set[Run] = set()
        num_own = len(scheduler.decoding.without_room()) if batch.num_decodes else 0
        for sequence in scheduler.running.values():
            runs.update(sequence.prefix.path() if sequence.prefix else ())
            num_own += sequence.num_own_blocks
            if sequence in scheduler.decoding:
                num_new = scheduler.decoding.num_new_tokens(sequence)
                num_blocks = -(-(sequence.num_computed_tokens + num_new) // size)
                num_own += max(0, num_blocks - sequence.num_blocks)
            else:
                assert sequence.num_computed_tokens <= sequence.num_blocks * size
        num_known = sum(len(run.keys) for run in runs)
        assert num_known + num_own == scheduler.block_manager.num_used_blocks


@st.composite
def request_lists(draw: st.DrawFn) -> list[Request]:
    """Draw requests with gaps from none to long, and prefixes from a few families."""
    requests, now_s = [], 0.0
    for _ in range(draw(st.integers(1, 25))):
        now_s += draw(st.sampled_from([0.0, 0.01, 0.2, 5.0]))
        prompt_tokens = draw(st.integers(1, MAX_MODEL_LEN - 1))
        output_tokens = draw(st.integers(1, MAX_MODEL_LEN - prompt_tokens))
        hashes = tuple(draw(st.lists(st.integers(0, 2), max_size=4)))
        requests.append(
            Request(now_s, prompt_tokens, output_tokens, prefix_hashes=hashes, block_tokens=48)
        )
    return requests


@st.composite
def engine_configs(draw: st.DrawFn) -> EngineConfig:
    """Draw configurations that the engine does not refuse."""
    chunked = draw(st.booleans())
    max_num_seqs = draw(st.integers(1, 16))
    low = max_num_seqs if chunked else MAX_MODEL_LEN
    return EngineConfig(
        max_num_batched_tokens=draw(st.integers(low, low + 200)),
        max_model_len=MAX_MODEL_LEN,
        max_num_seqs=max_num_seqs,
        block_size=draw(st.sampled_from([8, 16, 32])),
        enable_chunked_prefill=chunked,
        enable_prefix_caching=draw(st.booleans()),
        long_prefill_token_threshold=draw(st.sampled_from([0, 30])) if chunked else 0,
        scheduler_delay_factor=draw(st.sampled_from([0.0, 0.5, 2.0])),
        stream_interval=draw(st.sampled_from([1, 4])),
        use_v2_block_manager=draw(st.booleans()),
    )


def serve(
    version: EngineVersion,
    config: EngineConfig,
    requests: list[Request],
    *,
    timeout_s: float = 1e9,
    num_spare_blocks: int = 2,
) -> tuple[list[Sequence], Scheduler]:
    """Serve requests with a KV cache that holds little more than one longest sequence."""
    num_blocks = -(-MAX_MODEL_LEN // config.block_size) + num_spare_blocks
    manager = BlockManager(num_blocks, config.block_size, config.enable_prefix_caching)
    scheduler = version.scheduler(config, manager)
    cost = CheckedCost(MODEL, ACCELERATOR, config, version.host)
    cost.scheduler = scheduler
    memory = MemoryPlan(MODEL, ACCELERATOR, config, version)
    engine = Engine(scheduler, cost, memory, np.random.default_rng(0), timeout_s=timeout_s)
    served = sorted(Fleet([engine]).serve(requests), key=lambda sequence: sequence.number)
    return served, scheduler


@settings(max_examples=80, deadline=None)
@given(
    version=st.sampled_from([V0, V1]),
    config=engine_configs(),
    requests=request_lists(),
    num_spare_blocks=st.integers(0, 40),
)
def test_every_request_gets_exactly_its_tokens_and_no_block_leaks(
    version: EngineVersion, config: EngineConfig, requests: list[Request], num_spare_blocks: int
) -> None:
    served, scheduler = serve(version, config, requests, num_spare_blocks=num_spare_blocks)
    for sequence, request in zip(served, requests, strict=True):
        record = sequence.to_record(config.stream_interval)
        assert record.completed
        assert record.output_tokens == request.output_tokens
        assert len(record.token_gaps_s) == request.output_tokens - 1
        assert all(gap >= 0 for gap in record.token_gaps_s)
        assert record.first_token_s is not None
        assert request.arrival_s < record.first_token_s <= record.finished_s
    assert not scheduler.num_unfinished
    assert scheduler.block_manager.num_free_blocks == scheduler.block_manager.num_blocks
    assert scheduler.num_preemptions == sum(s.num_preemptions for s in served)


@settings(max_examples=40, deadline=None)
@given(version=st.sampled_from([V0, V1]), config=engine_configs(), requests=request_lists())
def test_requests_complete_or_time_out_and_leave_nothing_behind(
    version: EngineVersion, config: EngineConfig, requests: list[Request]
) -> None:
    served, scheduler = serve(version, config, requests, timeout_s=0.5)
    assert len(served) == len(requests)
    for sequence in served:
        record = sequence.to_record(config.stream_interval)
        assert record.completed == (record.output_tokens == sequence.request.output_tokens)
        assert record.finished_s is not None
    assert scheduler.block_manager.num_free_blocks == scheduler.block_manager.num_blocks


@settings(max_examples=30, deadline=None)
@given(version=st.sampled_from([V0, V1]), config=engine_configs(), requests=request_lists())
def test_the_same_seed_gives_the_same_times(
    version: EngineVersion, config: EngineConfig, requests: list[Request]
) -> None:
    times = [
        [sequence.token_times_s for sequence in serve(version, config, requests)[0]]
        for _ in range(2)
    ]
    assert times[0] == times[1]
