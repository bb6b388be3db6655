from collections.abc import Callable
from typing import Any

from trainables.simulator.block_manager import BlockManager, prefix_keys
from trainables.simulator.sequence import Sequence

MakeSequence = Callable[..., Sequence]


def make(num_blocks: int = 8, prefix_caching: bool = True) -> BlockManager:
    return BlockManager(num_blocks, block_size=16, enable_prefix_caching=prefix_caching)


def compute(manager: BlockManager, sequence: Sequence) -> int:
    """Give a whole prompt its blocks and compute it; return the tokens the cache spared."""
    matched = manager.match_prefix(sequence)
    assert manager.allocate(sequence, sequence.num_tokens, matched)
    sequence.num_computed_tokens = sequence.num_tokens
    manager.commit(sequence)
    return matched.num_blocks * manager.block_size


def test_blocks_are_rounded_up_and_come_back(make_sequence: MakeSequence) -> None:
    manager, sequence = make(), make_sequence(33)
    assert manager.allocate(sequence, 33)
    assert sequence.num_blocks == 3
    assert (manager.num_free_blocks, manager.num_used_blocks) == (5, 3)
    manager.free(sequence)
    assert (manager.num_free_blocks, manager.num_used_blocks) == (8, 0)
    assert sequence.num_blocks == 0


def test_a_refused_allocation_changes_nothing(make_sequence: MakeSequence) -> None:
    manager, sequence = make(num_blocks=2), make_sequence(64)
    assert not manager.allocate(sequence, 64)
    assert sequence.num_blocks == 0
    assert manager.num_free_blocks == 2
    assert not manager.allocate(sequence, 32, reserve_blocks=1)


def test_a_shared_prefix_is_shared_and_counted_once(make_sequence: MakeSequence) -> None:
    manager = make()
    first = make_sequence(80, prefix_hashes=(7,), block_tokens=64)
    second = make_sequence(80, prefix_hashes=(7,), block_tokens=64)
    assert compute(manager, first) == 0
    assert compute(manager, second) == 64
    assert first.prefix is second.prefix
    assert manager.num_used_blocks == 6
    manager.free(first)
    assert manager.num_used_blocks == 5


def test_without_prefix_caching_nothing_is_found(make_sequence: MakeSequence) -> None:
    manager = make(num_blocks=16, prefix_caching=False)
    for _ in range(2):
        sequence = make_sequence(80, prefix_hashes=(7,), block_tokens=64)
        assert compute(manager, sequence) == 0


def test_the_last_token_is_never_taken_from_the_cache(
    make_sequence: MakeSequence,
) -> None:
    manager = make()
    fields: dict[str, Any] = {"prefix_hashes": (7,), "block_tokens": 64}
    compute(manager, make_sequence(64, **fields))
    assert manager.match_prefix(make_sequence(64, **fields)).num_blocks == 3


def test_freed_content_is_revived_until_the_oldest_is_evicted(
    make_sequence: MakeSequence,
) -> None:
    manager = make(num_blocks=4)
    old = make_sequence(33, prefix_hashes=(1,), block_tokens=32)
    compute(manager, old)
    manager.free(old)
    again = make_sequence(33, prefix_hashes=(1,), block_tokens=32)
    assert compute(manager, again) == 32
    manager.free(again)
    other = make_sequence(64)
    compute(manager, other)
    manager.free(other)
    again = make_sequence(33, prefix_hashes=(1,), block_tokens=32)
    assert manager.match_prefix(again).num_blocks == 0


def test_a_preempted_sequence_finds_its_own_blocks(make_sequence: MakeSequence) -> None:
    manager, sequence = make(), make_sequence(40)
    compute(manager, sequence)
    manager.free(sequence, is_resumed_later=True)
    sequence.num_computed_tokens = 0
    assert manager.match_prefix(sequence).num_blocks == 2
    assert manager.match_prefix(make_sequence(40)).num_blocks == 0


def test_trace_blocks_are_cut_into_engine_blocks(make_sequence: MakeSequence) -> None:
    request = make_sequence(100, prefix_hashes=(5, 6), block_tokens=48).request
    keys = prefix_keys(request, 16)
    # 96 of 100 tokens are hashed: six whole engine blocks, the first three by the first hash.
    assert len(keys) == 6
    sibling = make_sequence(100, prefix_hashes=(5, 9), block_tokens=48).request
    assert [a == b for a, b in zip(keys, prefix_keys(sibling, 16), strict=True)] == [
        *[True] * 3,
        *[False] * 3,
    ]


def test_equal_hashes_after_different_ones_are_not_shared(
    make_sequence: MakeSequence,
) -> None:
    one = prefix_keys(make_sequence(64, prefix_hashes=(1, 3), block_tokens=32).request, 32)
    two = prefix_keys(make_sequence(64, prefix_hashes=(2, 3), block_tokens=32).request, 32)
    assert set(one).isdisjoint(two)


def test_an_engine_block_across_two_trace_blocks_needs_both(
    make_sequence: MakeSequence,
) -> None:
    one = prefix_keys(make_sequence(64, prefix_hashes=(1, 3), block_tokens=24).request, 32)
    two = prefix_keys(make_sequence(64, prefix_hashes=(1, 4), block_tokens=24).request, 32)
    assert len(one) == 1
    assert one != two


def test_prefixes_that_part_share_what_they_begin_with(make_sequence: MakeSequence) -> None:
    manager = make()
    compute(manager, make_sequence(65, prefix_hashes=(1, 2, 3, 4), block_tokens=16))
    fork = make_sequence(65, prefix_hashes=(1, 2, 8, 9), block_tokens=16)
    assert compute(manager, fork) == 32
    assert manager.num_used_blocks == 5 + 3
    manager.free(fork)
    assert manager.num_used_blocks == 5
    assert manager.match_prefix(fork).num_free_blocks == 2


def test_the_end_of_a_prefix_is_evicted_before_its_beginning(make_sequence: MakeSequence) -> None:
    manager = make(num_blocks=5)
    fields: dict[str, Any] = {"prefix_hashes": (1, 2, 3, 4), "block_tokens": 16}
    first = make_sequence(64, **fields)
    compute(manager, first)
    manager.free(first)
    compute(manager, make_sequence(48))
    assert manager.match_prefix(make_sequence(65, **fields)).num_blocks == 2


def test_what_was_computed_twice_at_a_time_is_kept_twice(make_sequence: MakeSequence) -> None:
    manager = make()
    one, two = (make_sequence(33, prefix_hashes=(1, 2), block_tokens=16) for _ in range(2))
    for sequence in (one, two):
        assert manager.allocate(sequence, 33, manager.match_prefix(sequence))
    for sequence in (one, two):
        sequence.num_computed_tokens = 33
        manager.commit(sequence)
    assert manager.num_used_blocks == 6
    assert (one.num_known_blocks, two.num_known_blocks) == (2, 0)
    manager.free(one)
    manager.free(two)
    assert manager.num_free_blocks == 8
    again = make_sequence(33, prefix_hashes=(1, 2), block_tokens=16)
    assert manager.match_prefix(again).num_blocks == 2
