from collections.abc import Callable
from typing import Any

import pytest

from trainables.simulator.batch import Batch
from trainables.simulator.block_manager import BlockManager
from trainables.simulator.config import EngineConfig
from trainables.simulator.scheduler import Scheduler
from trainables.simulator.scheduler_v0 import SchedulerV0
from trainables.simulator.scheduler_v1 import SchedulerV1
from trainables.simulator.sequence import Sequence

MakeSequence = Callable[..., Sequence]


def make(scheduler: type[Scheduler], num_blocks: int = 1000, **overrides: Any) -> Scheduler:
    config = EngineConfig(
        **{"max_num_batched_tokens": 100, "max_model_len": 1000, "max_num_seqs": 8, **overrides}
    )
    manager = BlockManager(num_blocks, config.block_size, config.enable_prefix_caching)
    return scheduler(config, manager)


def step(scheduler: Scheduler, now_s: float = 0.0) -> Batch:
    batch = scheduler.schedule(now_s)
    scheduler.postprocess(batch, now_s + 1.0)
    return batch


def chunks(batch: Batch) -> list[int]:
    return [num_tokens for _, num_tokens in batch.prefills]


def test_v1_fills_the_budget_with_chunks_and_decodes_first(
    make_sequence: MakeSequence,
) -> None:
    scheduler = make(SchedulerV1)
    scheduler.add(make_sequence(30, 5))
    scheduler.add(make_sequence(150, 5))
    assert chunks(step(scheduler)) == [30, 70]
    second = step(scheduler)
    assert (second.num_decodes, chunks(second)) == (1, [80])
    assert step(scheduler).num_decodes == 2


@pytest.mark.parametrize("scheduler", [SchedulerV0, SchedulerV1])
def test_the_tokens_of_what_is_unfinished(
    scheduler: type[Scheduler], make_sequence: MakeSequence
) -> None:
    made = make(scheduler, max_num_seqs=1)
    first, second = make_sequence(30, 5), make_sequence(30, 5)
    made.add(first)
    made.add(second)
    for num_tokens in range(1, 5):
        step(made)
        assert dict(made.unfinished()) == {first: num_tokens, second: 0}
    step(made)
    assert dict(made.unfinished()) == {second: 0}


def test_v1_long_prompts_are_held_to_the_threshold(make_sequence: MakeSequence) -> None:
    scheduler = make(SchedulerV1, long_prefill_token_threshold=40)
    scheduler.add(make_sequence(90))
    scheduler.add(make_sequence(20))
    assert chunks(step(scheduler)) == [40, 20]


def test_v1_without_chunks_waits_for_a_step_with_room(
    make_sequence: MakeSequence,
) -> None:
    scheduler = make(SchedulerV1, enable_chunked_prefill=False)
    for prompt_tokens in (60, 60):
        scheduler.add(make_sequence(prompt_tokens, 3))
    assert chunks(step(scheduler)) == [60]
    assert chunks(step(scheduler)) == [60]


@pytest.mark.parametrize("variant", [SchedulerV0, SchedulerV1])
def test_no_more_than_max_num_seqs_run(
    variant: type[Scheduler], make_sequence: MakeSequence
) -> None:
    scheduler = make(variant, max_num_seqs=2)
    for _ in range(5):
        scheduler.add(make_sequence(10, 5))
    step(scheduler)
    assert (len(scheduler.running), len(scheduler.waiting)) == (2, 3)


@pytest.mark.parametrize("variant", [SchedulerV0, SchedulerV1])
def test_the_last_to_come_is_preempted_and_resumes(
    variant: type[Scheduler], make_sequence: MakeSequence
) -> None:
    scheduler = make(variant, num_blocks=5, enable_prefix_caching=False)
    first, last = make_sequence(31, 20), make_sequence(31, 20)
    scheduler.add(first)
    scheduler.add(last)
    for now_s in range(100):
        step(scheduler, float(now_s))
        if not scheduler.num_unfinished:
            break
    assert (first.num_preemptions, last.num_preemptions) == (0, 1)
    assert len(first.token_times_s) == len(last.token_times_s) == 20
    assert scheduler.block_manager.num_free_blocks == 5


@pytest.mark.parametrize("variant", [SchedulerV0, SchedulerV1])
def test_a_preempted_sequence_that_finds_its_own_blocks_hits_nothing(
    variant: type[Scheduler], make_sequence: MakeSequence
) -> None:
    scheduler = make(variant, num_blocks=5)
    first, last = make_sequence(31, 20), make_sequence(31, 20)
    scheduler.add(first)
    scheduler.add(last)
    computed_again = []
    for now_s in range(100):
        batch = step(scheduler, float(now_s))
        computed_again += [n for sequence, n in batch.prefills if sequence.num_preemptions]
    assert last.num_preemptions == 1
    assert sum(computed_again) < 31  # the cache still spares the work
    assert (first.num_cached_tokens, last.num_cached_tokens) == (0, 0)


def test_v0_gives_prompts_steps_of_their_own(make_sequence: MakeSequence) -> None:
    scheduler = make(SchedulerV0, enable_chunked_prefill=False)
    scheduler.add(make_sequence(60, 5))
    step(scheduler)
    scheduler.add(make_sequence(60, 5))
    scheduler.add(make_sequence(60, 5))
    second = step(scheduler)
    assert (second.num_decodes, chunks(second)) == (0, [60])
    assert chunks(step(scheduler)) == [60]
    assert step(scheduler).num_decodes == 3


def test_v0_with_chunks_decodes_first(make_sequence: MakeSequence) -> None:
    scheduler = make(SchedulerV0)
    scheduler.add(make_sequence(50, 5))
    step(scheduler)
    scheduler.add(make_sequence(150, 5))
    mixed = step(scheduler)
    assert (mixed.num_decodes, chunks(mixed)) == (1, [99])
    assert chunks(step(scheduler)) == [51]


def test_v0_delay_lets_decodes_go_on_while_prompts_gather(
    make_sequence: MakeSequence,
) -> None:
    scheduler = make(SchedulerV0, enable_chunked_prefill=False, scheduler_delay_factor=2.0)
    scheduler.add(make_sequence(50, 9))
    step(scheduler, 0.0)  # a prompt step that takes one second
    scheduler.add(make_sequence(50, 9))  # arrived at 0: due after two seconds
    assert step(scheduler, 1.0).num_decodes == 1
    assert step(scheduler, 2.0).num_decodes == 1
    assert chunks(step(scheduler, 3.0)) == [50]


def test_aborting_returns_blocks_and_queue_places(make_sequence: MakeSequence) -> None:
    scheduler = make(SchedulerV1, max_num_seqs=1)
    running, waiting = make_sequence(50, 5), make_sequence(50, 5)
    scheduler.add(running)
    scheduler.add(waiting)
    step(scheduler)
    scheduler.abort(running)
    scheduler.abort(waiting)
    assert not scheduler.num_unfinished
    assert scheduler.block_manager.num_used_blocks == 0


def test_v1_a_lone_prompt_may_exceed_the_threshold(make_sequence: MakeSequence) -> None:
    scheduler = make(SchedulerV1, long_prefill_token_threshold=40)
    scheduler.add(make_sequence(90))
    assert chunks(step(scheduler)) == [90]


def test_v1_begins_a_prompt_only_when_all_of_it_fits(make_sequence: MakeSequence) -> None:
    scheduler = make(SchedulerV1, num_blocks=10)
    scheduler.add(make_sequence(90, 5))
    step(scheduler)
    # A first chunk of it would find room in the four blocks that are free.
    scheduler.add(make_sequence(90, 5))
    batch = step(scheduler)
    assert (batch.num_decodes, batch.prefills) == (1, [])


def test_v1_a_long_prompt_makes_room_by_preempting_decodes_behind_it(
    make_sequence: MakeSequence,
) -> None:
    scheduler = make(
        SchedulerV1, num_blocks=8, long_prefill_token_threshold=32, enable_prefix_caching=False
    )
    long, short = make_sequence(96, 2), make_sequence(10, 90)
    scheduler.add(long)
    scheduler.add(short)
    for now_s in range(200):
        step(scheduler, float(now_s))
        if not scheduler.num_unfinished:
            break
    assert len(long.token_times_s) == 2
    assert len(short.token_times_s) == 90
    assert scheduler.block_manager.num_free_blocks == 8


@pytest.mark.parametrize(("v2_manager", "preemptions"), [(True, 0), (False, 1)])
def test_v0_its_first_block_manager_wants_a_block_to_spare(
    v2_manager: bool, preemptions: int, make_sequence: MakeSequence
) -> None:
    scheduler = make(
        SchedulerV0, num_blocks=5, use_v2_block_manager=v2_manager, enable_prefix_caching=False
    )
    scheduler.add(make_sequence(20, 14))  # takes the fifth block in the end
    scheduler.add(make_sequence(17, 14))  # never needs more than two
    for now_s in range(100):
        step(scheduler, float(now_s))
    assert scheduler.num_preemptions == preemptions
    assert not scheduler.num_unfinished
