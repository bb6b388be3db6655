"""Prompts: nonsense to read, but with the lengths and shared prefixes of the trace."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.request import Request

# Special tokens live at the low end of vocabularies, or beyond the ids that text is made of.
FIRST_ORDINARY_TOKEN = 100
ORDINARY_SHARE = 0.9
# Streams of the seed that are independent of each other.
_BLOCK, _REQUEST = 0, 1

Tokens = NDArray[np.int64]


def ordinary_tokens(vocab_size: int) -> range:
    """Return the token ids of a vocabulary that text is made of."""
    high = max(2, int(vocab_size * ORDINARY_SHARE))
    return range(min(FIRST_ORDINARY_TOKEN, high // 2), high)


class PromptMaker:
    """Write prompts that share exactly the blocks that the trace says are shared.

    Args:
        tokens: What to draw from: token ids, or the numbers of words that are a token each.
        seed: The same seed gives the same prompts.
    """

    def __init__(self, tokens: range, seed: int) -> None:
        self._tokens = tokens
        self._seed = seed
        self._num_made = 0

    def make(self, request: Request) -> list[int]:
        """Return the tokens of a prompt; what no hash covers differs from every other prompt."""
        blocks = list(self._shared_blocks(request))
        rest = request.prompt_tokens - sum(len(block) for block in blocks)
        tail = self._draw(rest, _REQUEST, self._num_made)
        self._num_made += 1
        prompt: list[int] = np.concatenate([*blocks, tail]).tolist()
        return prompt

    def _shared_blocks(self, request: Request) -> Iterator[Tokens]:
        left = request.prompt_tokens
        for identifier in request.prefix_hashes:
            if left <= 0:
                return
            # The last block of a prompt may be a partial one.
            yield self._draw(request.block_tokens, _BLOCK, identifier)[:left]
            left -= request.block_tokens

    def _draw(self, num_tokens: int, stream: int, number: int) -> Tokens:
        # Identifiers may be negative (Python hashes); seed sequences take no negative numbers.
        rng = np.random.default_rng([self._seed, stream, number % 2**64])
        return rng.integers(self._tokens.start, self._tokens.stop, size=num_tokens)
