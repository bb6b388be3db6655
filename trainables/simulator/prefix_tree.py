"""What the prefix cache knows: a tree of runs of KV blocks, each path spelling a prefix."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

# Of a KV block that others can find: by all that it ends (a chained hash), or of a sequence's own
# tokens, by the sequence's number and the block's index. Equal keys follow equal prefixes.
BlockKey = int | tuple[int, int]
BlockKeys = tuple[BlockKey, ...]


class Run:
    """Blocks between two forks of the tree: they are held together, and found one by one.

    Whoever holds a run holds its parents too. So they are not freed before it.

    Attributes:
        keys: Of its blocks, in order; only the root has none.
        parent: What comes before; None for the root.
        children: What may come after, by the first key.
        num_holders: Sequences that hold it.
    """

    __slots__ = ("children", "keys", "num_holders", "parent")

    def __init__(self, keys: BlockKeys = (), parent: Optional["Run"] = None) -> None:
        self.keys = keys
        self.parent = parent
        self.children: dict[BlockKey, Run] = {}
        self.num_holders = 0
        if parent is not None:
            parent.children[keys[0]] = self

    def path(self) -> Iterator["Run"]:
        """Yield this run and those before it, up to the root, which is left out."""
        run = self
        while run.parent is not None:
            yield run
            run = run.parent

    def num_common(self, keys: BlockKeys) -> int:
        """Count the blocks that the run and `keys` begin with alike."""
        num_blocks = min(len(self.keys), len(keys))
        if self.keys[num_blocks - 1] == keys[num_blocks - 1]:
            return num_blocks
        return bisect_left(range(num_blocks), True, key=lambda i: self.keys[i] != keys[i])

    def split(self, num_blocks: int) -> "Run":
        """Make the first blocks a run of their own, with the same holders, and return it."""
        head = Run(self.keys[:num_blocks], self.parent)
        head.num_holders = self.num_holders
        head.children[self.keys[num_blocks]] = self
        self.parent, self.keys = head, self.keys[num_blocks:]
        return head

    def drop_last(self, num_blocks: int) -> None:
        """Forget the content of the last blocks, which nothing follows any more."""
        kept = len(self.keys) - num_blocks
        if not kept and self.parent is not None:
            del self.parent.children[self.keys[0]]
        self.keys = self.keys[:kept]


@dataclass(frozen=True, slots=True)
class PrefixMatch:
    """Tell how much of a sequence the tree knows.

    Attributes:
        run: The last run of its prefix; the root if nothing is known.
        num_run_blocks: How many blocks of that run belong to the prefix.
        num_blocks: Blocks of the prefix.
    """

    run: Run
    num_run_blocks: int = 0
    num_blocks: int = 0

    @property
    def num_free_blocks(self) -> int:
        """Count the prefix's blocks that nobody holds."""
        beyond = len(self.run.keys) - self.num_run_blocks
        return sum(
            len(run.keys) - (run is self.run and beyond)
            for run in self.run.path()
            if not run.num_holders
        )


def match(root: Run, keys: BlockKeys) -> PrefixMatch:
    """Follow `keys` from the root as far as the tree knows them."""
    run, num_run_blocks, num_blocks = root, 0, 0
    while num_run_blocks == len(run.keys) and num_blocks < len(keys):
        child = run.children.get(keys[num_blocks])
        if child is None:
            break
        run, num_run_blocks = child, child.num_common(keys[num_blocks:])
        num_blocks += num_run_blocks
    return PrefixMatch(run, num_run_blocks, num_blocks)
