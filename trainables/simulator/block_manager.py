"""The paged KV cache: blocks that are handed out, shared by prefix, and evicted.

Only a block whose content another sequence may ask for has an identity, its key; all others are
alike and merely counted. A free block keeps its content until the queue's head, the block that
has been free for longest, is handed out for something else.
"""

from collections import OrderedDict
from functools import lru_cache
from itertools import accumulate

from scoot_ray.core.request import Request
from trainables.simulator.prefix_tree import BlockKeys, PrefixMatch, Run, match
from trainables.simulator.sequence import Sequence


class BlockManager:
    """Hand out KV blocks, under vLLM's rules.

    Invariant: every block is free, or held by a sequence as its own, or known and held by as many
    sequences as its run says.
    """

    def __init__(self, num_blocks: int, block_size: int, enable_prefix_caching: bool) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.enable_prefix_caching = enable_prefix_caching
        self.num_free_blocks = num_blocks
        self._root = Run()
        # Least recently used first: runs that are known, or blocks without known content.
        self._free: OrderedDict[object, int] = OrderedDict({object(): num_blocks})

    @property
    def num_used_blocks(self) -> int:
        """Count the blocks that at least one sequence holds."""
        return self.num_blocks - self.num_free_blocks

    def num_blocks_of(self, num_tokens: int) -> int:
        """Count the blocks that `num_tokens` tokens fill, the last one perhaps partly."""
        return -(-num_tokens // self.block_size)

    def match_prefix(self, sequence: Sequence) -> PrefixMatch:
        """Find the cached blocks that the sequence begins with.

        The last token is never taken from the cache: computing it gives the first output token.
        """
        if not self.enable_prefix_caching:
            return PrefixMatch(self._root)
        num_blocks = (sequence.num_tokens - 1) // self.block_size
        return match(self._root, self._keys(sequence)[:num_blocks])

    def allocate(
        self,
        sequence: Sequence,
        num_tokens: int,
        matched: PrefixMatch | None = None,
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
        matched = matched or PrefixMatch(self._root)
        num_new = self.num_blocks_of(num_tokens) - sequence.num_blocks - matched.num_blocks
        num_taken = max(0, num_new) + matched.num_free_blocks
        if num_taken + reserve_blocks > self.num_free_blocks:
            return False
        if matched.num_blocks:
            self._hold_prefix(sequence, matched)
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
            run, size = next(iter(self._free.items()))
            num_taken = min(size, num_blocks)
            if num_taken == size:
                del self._free[run]
            else:
                self._free[run] = size - num_taken
            if isinstance(run, Run):
                run.drop_last(num_taken)
            num_blocks -= num_taken
        return True

    def commit(self, sequence: Sequence) -> None:
        """Make the sequence's full computed blocks known, as far as others may begin with them."""
        if not self.enable_prefix_caching:
            return
        num_full = sequence.num_computed_tokens // self.block_size
        keys = self._keys(sequence)
        self._commit(sequence, keys[sequence.num_committed_blocks : num_full])

    def free(self, sequence: Sequence, *, is_resumed_later: bool = False) -> None:
        """Take back all blocks; the last is the first to be reused, as prefixes are shared most.

        Args:
            sequence: Loses its blocks.
            is_resumed_later: It will ask for its own tokens again. Nobody else ever does, so the
                blocks that only it has are made known in this case alone.
        """
        if self.enable_prefix_caching and is_resumed_later:
            keys = self._keys(sequence)
            num_full = sequence.num_computed_tokens // self.block_size
            own = ((sequence.number, index) for index in range(len(keys), num_full))
            sequence.prefix_keys = keys + tuple(own)
            self.commit(sequence)
        if sequence.num_own_blocks:
            self._free[object()] = sequence.num_own_blocks
            self.num_free_blocks += sequence.num_own_blocks
        for run in sequence.prefix.path() if sequence.prefix else ():
            self._release(run)
        sequence.num_own_blocks = 0
        sequence.prefix = None
        sequence.num_known_blocks = 0
        sequence.num_committed_blocks = 0

    def _hold_prefix(self, sequence: Sequence, matched: PrefixMatch) -> None:
        run = self._cut(matched.run, matched.num_run_blocks)
        for part in run.path():
            self._hold(part)
        sequence.prefix = run
        sequence.num_known_blocks = matched.num_blocks
        sequence.num_committed_blocks = matched.num_blocks

    def _commit(self, sequence: Sequence, keys: BlockKeys) -> None:
        sequence.num_committed_blocks += len(keys)
        run = sequence.prefix or self._root
        while keys and keys[0] in run.children:
            # A sequence that computed the same content at the same time keeps its copy.
            child = run.children[keys[0]]
            num_blocks = child.num_common(keys)
            run = self._cut(child, num_blocks)
            self._hold(run)
            keys = keys[num_blocks:]
        if keys:
            if run.num_holders == 1 and not run.children:
                run.keys += keys
            else:
                run = Run(keys, run)
                run.num_holders = 1
            sequence.num_known_blocks += len(keys)
            sequence.num_own_blocks -= len(keys)
        sequence.prefix = run

    def _cut(self, run: Run, num_blocks: int) -> Run:
        """Split a run, unless all of it is wanted; return the part with the first blocks."""
        if num_blocks == len(run.keys):
            return run
        head = run.split(num_blocks)
        if not run.num_holders:
            self._free[run] = len(run.keys)
            self._free[head] = num_blocks  # at the queue's end, for it is about to be held
        return head

    def _hold(self, run: Run) -> None:
        if not run.num_holders:
            self.num_free_blocks -= self._free.pop(run)
        run.num_holders += 1

    def _release(self, run: Run) -> None:
        run.num_holders -= 1
        if not run.num_holders:
            self._free[run] = len(run.keys)
            self.num_free_blocks += len(run.keys)

    def _keys(self, sequence: Sequence) -> BlockKeys:
        if sequence.prefix_keys is None:
            sequence.prefix_keys = prefix_keys(sequence.request, self.block_size)
        return sequence.prefix_keys


def prefix_keys(request: Request, block_size: int) -> BlockKeys:
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
def _chained_keys(hashes: tuple[int, ...], block_tokens: int, block_size: int) -> BlockKeys:
    chains = tuple(accumulate(hashes, lambda chain, block_hash: hash((chain, block_hash))))
    if block_tokens == block_size:
        return chains
    ends = range(block_size, len(hashes) * block_tokens + 1, block_size)
    return tuple(hash((chains[(end - 1) // block_tokens], end)) for end in ends)
