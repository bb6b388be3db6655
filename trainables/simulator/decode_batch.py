"""The decoding sequences of an engine, advanced all at once."""

from array import array
from collections import defaultdict
from collections.abc import Collection

from trainables.simulator.sequence import Sequence

# Step times that no member can still ask for are dropped when there are more than this.
MAX_IDLE_TIMES = 1 << 16


class DecodeBatch:
    """Hold the sequences that have only their newest token to compute.

    A step that decodes gives every member one token. So a step has to touch only the members that
    get their last token with it, and to know how many need another block: every `block_size`
    steps, each at its own phase. A step then costs what changes in it, not what it holds. What a
    member has gained is written to the sequence when it leaves.

    Attributes:
        block_size: Tokens in a KV block.
        num_steps: Decode steps so far.
        context_tokens: Tokens of all members, which is what the next step attends to.
    """

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.num_steps = 0
        self.context_tokens = 0
        self._joined: dict[Sequence, int] = {}  # the step at which each one came, oldest first
        self._ending: defaultdict[int, list[Sequence]] = defaultdict(list)
        self._by_phase: list[dict[Sequence, None]] = [{} for _ in range(block_size)]
        self._times_s = array("d")
        self._first_time = 0  # the step that `_times_s[0]` ended

    def __contains__(self, sequence: Sequence) -> bool:
        return sequence in self._joined

    def __len__(self) -> int:
        return len(self._joined)

    def join(self, sequence: Sequence) -> None:
        """Take in a sequence whose prompt is computed and whose first new token is out."""
        self._joined[sequence] = self.num_steps
        self.context_tokens += sequence.num_tokens
        self._ending[self._last_step(sequence)].append(sequence)
        self._by_phase[self._phase(sequence)][sequence] = None

    def leave(self, sequence: Sequence) -> None:
        """Let a member go, with the tokens and blocks that it got so far."""
        self._ending[self._last_step(sequence)].remove(sequence)
        self._forget(sequence)

    def num_new_tokens(self, sequence: Sequence) -> int:
        """Count the tokens that a member got since it joined."""
        return self.num_steps - self._joined[sequence]

    def without_room(self) -> Collection[Sequence]:
        """Return the members that the next step needs one more block for, each."""
        return self._by_phase[self.num_steps % self.block_size].keys()

    def advance(self, now_s: float) -> list[Sequence]:
        """Give every member a token at `now_s`, and a block to those without room.

        Returns:
            The members that left, because they have all of their tokens.
        """
        self._times_s.append(now_s)
        self.num_steps += 1
        self.context_tokens += len(self._joined)
        ended = self._ending.pop(self.num_steps, [])
        for sequence in ended:
            self._forget(sequence)
        if len(self._times_s) > MAX_IDLE_TIMES:
            self._drop_idle_times()
        return ended

    def _forget(self, sequence: Sequence) -> None:
        del self._by_phase[self._phase(sequence)][sequence]
        joined = self._joined.pop(sequence)
        num_tokens = self.num_steps - joined
        sequence.num_tokens += num_tokens
        sequence.num_computed_tokens += num_tokens
        num_blocks = -(-sequence.num_computed_tokens // self.block_size)
        sequence.num_own_blocks += max(0, num_blocks - sequence.num_blocks)
        start = joined - self._first_time
        sequence.token_times_s += self._times_s[start : start + num_tokens]
        self.context_tokens -= sequence.num_tokens

    def _last_step(self, sequence: Sequence) -> int:
        """Number the step that brings a member's last token."""
        num_left = sequence.request.output_tokens - len(sequence.token_times_s)
        return self._joined[sequence] + num_left

    def _phase(self, sequence: Sequence) -> int:
        """Number the steps, up to multiples of the block size, for which a member has no room.

        At the step at which it joined, its newest token wants room for `num_tokens` tokens.
        """
        return (self._joined[sequence] - (sequence.num_tokens - 1)) % self.block_size

    def _drop_idle_times(self) -> None:
        oldest = next(iter(self._joined.values()), self.num_steps)
        del self._times_s[: oldest - self._first_time]
        self._first_time = oldest
