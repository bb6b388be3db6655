"""The paged KV cache: reference-counted blocks, found again by what their tokens are.

A block is in one of two places: held by at least one sequence, or in the free queue. A free block
may still have known content; it can be revived until the queue's head, the block that has been
free for longest, is handed out for something else.
"""

from collections import OrderedDict

from scoot_ray.core.request import Request
from trainables.simulator.sequence import Sequence

BlockKey = tuple[int, int]


class BlockManager:
    """Hand out KV blocks.

    Invariant: every block is either free or has a positive reference count, never both.
    """

    def __init__(self, num_blocks: int, block_size: int, enable_prefix_caching: bool) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.enable_prefix_caching = enable_prefix_caching
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys(range(num_blocks))
        self._num_references = [0] * num_blocks
        self._block_of: dict[BlockKey, int] = {}
        self._key_of: dict[int, BlockKey] = {}

    @property
    def num_free_blocks(self) -> int:
        """Count the blocks that no sequence holds."""
        return len(self._free)

    @property
    def num_used_blocks(self) -> int:
        """Count the blocks that at least one sequence holds."""
        return sum(references > 0 for references in self._num_references)

    def match_prefix(self, sequence: Sequence) -> list[int]:
        """Find the cached blocks that the sequence begins with.

        The last token is never taken from the cache: computing it gives the first output token.
        """
        if not self.enable_prefix_caching:
            return []
        matched: list[int] = []
        for index in range((sequence.num_tokens - 1) // self.block_size):
            block = self._block_of.get(self._key(sequence, index))
            if block is None:
                break
            matched.append(block)
        return matched

    def allocate(
        self,
        sequence: Sequence,
        num_tokens: int,
        matched: list[int] | None = None,
        reserve_blocks: int = 0,
    ) -> bool:
        """Let the sequence hold blocks for `num_tokens` tokens, or change nothing.

        Args:
            sequence: Gets the blocks.
            num_tokens: From the sequence's beginning.
            matched: Result of `match_prefix`, for a sequence that holds nothing yet.
            reserve_blocks: Blocks that must stay free.

        Returns:
            False when there are not enough free blocks.
        """
        matched = matched or []
        num_held = len(sequence.blocks) + len(matched)
        num_new = max(0, -(-num_tokens // self.block_size) - num_held)
        num_revived = sum(not self._num_references[block] for block in matched)
        if num_new + num_revived + reserve_blocks > len(self._free):
            return False
        # For a decoding sequence this is where its newest full block becomes known.
        self.commit(sequence)
        for block in matched:
            self._hold(block)
        sequence.blocks += matched
        sequence.num_committed_blocks += len(matched)
        sequence.blocks += [self._take_oldest() for _ in range(num_new)]
        sequence.capacity_tokens = len(sequence.blocks) * self.block_size
        return True

    def commit(self, sequence: Sequence) -> None:
        """Make the sequence's full computed blocks known to the prefix cache."""
        if not self.enable_prefix_caching:
            return
        num_full = sequence.num_computed_tokens // self.block_size
        for index in range(sequence.num_committed_blocks, num_full):
            key, block = self._key(sequence, index), sequence.blocks[index]
            if key not in self._block_of:
                self._block_of[key] = block
                self._key_of[block] = key
        sequence.num_committed_blocks = max(sequence.num_committed_blocks, num_full)

    def free(self, sequence: Sequence) -> None:
        """Take back all blocks; the last is the first to be reused, as prefixes are shared most."""
        self.commit(sequence)
        for block in reversed(sequence.blocks):
            self._num_references[block] -= 1
            if not self._num_references[block]:
                self._free[block] = None
        sequence.blocks = []
        sequence.capacity_tokens = 0
        sequence.num_committed_blocks = 0

    def _hold(self, block: int) -> None:
        if not self._num_references[block]:
            del self._free[block]
        self._num_references[block] += 1

    def _take_oldest(self) -> int:
        block, _ = self._free.popitem(last=False)
        key = self._key_of.pop(block, None)
        if key is not None:
            del self._block_of[key]
        self._num_references[block] = 1
        return block

    def _key(self, sequence: Sequence, index: int) -> BlockKey:
        if sequence.prefix_keys is None:
            sequence.prefix_keys = prefix_keys(sequence.request, self.block_size)
        if index < len(sequence.prefix_keys):
            return sequence.prefix_keys[index]
        # Tokens that only this sequence has; found again when it resumes after a preemption.
        return (-1 - sequence.number, index)


def prefix_keys(request: Request, block_size: int) -> list[BlockKey]:
    """Identify the engine blocks that a request's trace hashes cover.

    A trace hashes blocks of its own size (512 tokens, say). An engine block is known by the trace
    block that holds its last token, chained with all before it, and its position.

    Returns:
        One key per whole engine block, from the first on; keys agree exactly where prefixes do.
    """
    if not request.prefix_hashes:
        return []
    chains: list[int] = []
    chain = 0
    for block_hash in request.prefix_hashes:
        chain = hash((chain, block_hash)) & 0x7FFF_FFFF_FFFF_FFFF  # own tokens have negative keys
        chains.append(chain)
    num_tokens = min(request.prompt_tokens, len(chains) * request.block_tokens)
    ends = range(block_size, num_tokens + 1, block_size)
    return [(chains[(end - 1) // request.block_tokens], i) for i, end in enumerate(ends)]
