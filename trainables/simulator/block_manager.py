"""The paged KV cache: blocks that are handed out, shared by prefix, and evicted.

Only a block whose content another sequence may ask for has an identity, its key; all others are
alike and merely counted. A free block keeps its content until the queue's head, the block that
has been free for longest, is handed out for something else.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from collections.abc import Sequence as Sequences
from functools import lru_cache
from itertools import accumulate, takewhile

from scoot_ray.core.request import Request
from trainables.simulator.sequence import BlockKey, Sequence


class BlockManager:
    """Hand out KV blocks, under vLLM's rules.

    Invariant: every block is free, or held by a sequence as its own, or known and held by as many
    sequences as its reference count says.
    """

    def __init__(self, num_blocks: int, block_size: int, enable_prefix_caching: bool) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.enable_prefix_caching = enable_prefix_caching
        self.num_free_blocks = num_blocks
        self._num_references: dict[Hashable, int] = {}
        # Least recently used first: a known block, or a run of blocks without known content.
        self._free: OrderedDict[Hashable, int] = OrderedDict({object(): num_blocks})

    @property
    def num_used_blocks(self) -> int:
        """Count the blocks that at least one sequence holds."""
        return self.num_blocks - self.num_free_blocks

    def num_blocks_of(self, num_tokens: int) -> int:
        """Count the blocks that `num_tokens` tokens fill, the last one perhaps partly."""
        return -(-num_tokens // self.block_size)

    def match_prefix(self, sequence: Sequence) -> list[BlockKey]:
        """Find the cached blocks that the sequence begins with.

        The last token is never taken from the cache: computing it gives the first output token.
        """
        if not self.enable_prefix_caching:
            return []
        num_blocks = (sequence.num_tokens - 1) // self.block_size
        keys = self._keys(sequence, num_blocks)
        return list(takewhile(self._num_references.__contains__, keys))

    def allocate(
        self,
        sequence: Sequence,
        num_tokens: int,
        matched: list[BlockKey] | None = None,
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
        num_new = self.num_blocks_of(num_tokens) - sequence.num_blocks - len(matched)
        num_revived = [self._num_references[key] for key in matched].count(0)
        if max(0, num_new) + num_revived + reserve_blocks > self.num_free_blocks:
            return False
        self._hold(matched)
        sequence.known_blocks += matched
        sequence.num_committed_blocks += len(matched)
        if num_new > 0:
            self.take(num_new)
            sequence.num_own_blocks += num_new
        return True

    def take(self, num_blocks: int) -> bool:
        """Take the blocks that have been free for longest, or none if there are not enough."""
        if num_blocks > self.num_free_blocks:
            return False
        self.num_free_blocks -= num_blocks
        while num_blocks:
            key = next(iter(self._free))
            run = self._free[key]
            if run > num_blocks:
                self._free[key] = run - num_blocks
                break
            num_blocks -= run
            del self._free[key]
            self._num_references.pop(key, None)
        return True

    def commit(self, sequence: Sequence) -> None:
        """Make the sequence's full computed blocks known, as far as others may begin with them."""
        if not self.enable_prefix_caching:
            return
        num_full = sequence.num_computed_tokens // self.block_size
        keys = self._prefix_keys(sequence)
        self._commit(sequence, keys[sequence.num_committed_blocks : num_full])

    def free(self, sequence: Sequence, *, is_resumed_later: bool = False) -> None:
        """Take back all blocks; the last is the first to be reused, as prefixes are shared most.

        Args:
            sequence: Loses its blocks.
            is_resumed_later: It will ask for its own tokens again. Nobody else ever does, so the
                blocks that only it has are made known in this case alone.
        """
        if self.enable_prefix_caching and is_resumed_later:
            num_full = sequence.num_computed_tokens // self.block_size
            keys = self._keys(sequence, num_full)
            self._commit(sequence, keys[sequence.num_committed_blocks :])
        if sequence.num_own_blocks:
            self._free[object()] = sequence.num_own_blocks
            self.num_free_blocks += sequence.num_own_blocks
        self._release(sequence.known_blocks)
        sequence.num_own_blocks = 0
        sequence.known_blocks = []
        sequence.num_committed_blocks = 0

    def _commit(self, sequence: Sequence, keys: Iterable[BlockKey]) -> None:
        for key in keys:
            sequence.num_committed_blocks += 1
            # A sequence that computed the same content at the same time keeps its copy.
            if key not in self._num_references:
                self._num_references[key] = 1
                sequence.known_blocks.append(key)
                sequence.num_own_blocks -= 1

    def _hold(self, keys: list[BlockKey]) -> None:
        references, free = self._num_references, self._free
        for key in keys:
            if not references[key]:
                del free[key]
                self.num_free_blocks -= 1
            references[key] += 1

    def _release(self, keys: list[BlockKey]) -> None:
        references, free = self._num_references, self._free
        for key in reversed(keys):
            references[key] -= 1
            if not references[key]:
                free[key] = 1
                self.num_free_blocks += 1

    def _keys(self, sequence: Sequence, num_blocks: int) -> list[BlockKey]:
        """Identify the sequence's first blocks, with those that only it can ask for."""
        keys = self._prefix_keys(sequence)[:num_blocks]
        own = range(len(keys), num_blocks)
        return [*keys, *((sequence.number, index) for index in own)]

    def _prefix_keys(self, sequence: Sequence) -> Sequences[BlockKey]:
        if sequence.prefix_keys is None:
            sequence.prefix_keys = prefix_keys(sequence.request, self.block_size)
        return sequence.prefix_keys


def prefix_keys(request: Request, block_size: int) -> Sequences[BlockKey]:
    """Identify the engine blocks that a request's trace hashes cover.

    A trace hashes blocks of its own size (512 tokens, say). An engine block is known by the trace
    block that holds its last token, chained with all before it, and by its position.

    Returns:
        One key per whole engine block, from the first on; keys agree exactly where prefixes do.
    """
    block_tokens, hashes = request.block_tokens, request.prefix_hashes
    num_blocks = min(request.prompt_tokens, len(hashes) * block_tokens) // block_size
    return _chained_keys(hashes, block_tokens, block_size)[:num_blocks]


# A load repeats the requests of its trace, and a study repeats the load.
@lru_cache(maxsize=4096)
def _chained_keys(
    hashes: tuple[int, ...], block_tokens: int, block_size: int
) -> tuple[BlockKey, ...]:
    chains = tuple(accumulate(hashes, lambda chain, block_hash: hash((chain, block_hash))))
    if block_tokens == block_size:
        return chains
    ends = range(block_size, len(hashes) * block_tokens + 1, block_size)
    return tuple(hash((chains[(end - 1) // block_tokens], end)) for end in ends)
