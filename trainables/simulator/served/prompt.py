"""Prompts as the served engine sees them: token ids, and what prefixes they share.

There is no tokenizer. Four characters of a text count as one token, as in ordinary English; equal
pieces get equal ids, so that texts share prefixes where they begin alike.
"""

from collections.abc import Sequence
from zlib import crc32

from scoot_ray.core.request import Request

CHARACTERS_PER_TOKEN = 4


def tokenize(text: str) -> list[int]:
    """Return the token ids of a text, at least one."""
    starts = range(0, max(1, len(text)), CHARACTERS_PER_TOKEN)
    return [crc32(text[start : start + CHARACTERS_PER_TOKEN].encode()) for start in starts]


def make_request(token_ids: Sequence[int], output_tokens: int, block_size: int) -> Request:
    """Return a request whose prefix is known block by block, as vLLM's prefix cache knows it.

    Args:
        token_ids: The prompt, at least one token.
        output_tokens: Tokens to generate.
        block_size: Tokens of a KV block.
    """
    num_full = len(token_ids) // block_size
    blocks = (tuple(token_ids[n * block_size : (n + 1) * block_size]) for n in range(num_full))
    return Request(
        arrival_s=0.0,
        prompt_tokens=len(token_ids),
        output_tokens=output_tokens,
        prefix_hashes=tuple(map(hash, blocks)),
        block_tokens=block_size,
    )
