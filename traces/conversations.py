"""Conversations: a turn's prompt begins with the prompt of the turn before."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from scoot_ray.core.request import Request

BLOCK_TOKENS = 16
MAX_BLOCKS = 2**20  # of a prompt; conversations have ranges of identifiers of their own


@dataclass
class _Conversation:
    """Follow one conversation: how often it was begun anew, and how long it has become."""

    number: int = 0
    prompt_tokens: int = 0


def with_conversations(requests: Iterable[Request]) -> list[Request]:
    """Give requests of a conversation the prefixes that its turns share.

    A longer prompt carries on the one before. A prompt that is not longer cannot: the conversation
    is taken for begun anew, so that nothing is shared that need not be. Requests that say
    themselves what they share, or belong to no conversation, stay as they are.

    Args:
        requests: In the order of arrival.
    """
    conversations: dict[str, _Conversation] = {}
    linked = []
    for request in requests:
        if request.session is not None and not request.prefix_hashes:
            turn = conversations.setdefault(request.session, _Conversation())
            turn.number += request.prompt_tokens <= turn.prompt_tokens
            turn.prompt_tokens = request.prompt_tokens
            request = _with_prefix(request, f"{request.session}/{turn.number}")
        linked.append(request)
    return linked


def _with_prefix(request: Request, label: str) -> Request:
    num_blocks = -(-request.prompt_tokens // BLOCK_TOKENS)
    digest = hashlib.blake2b(label.encode(), digest_size=5).digest()
    first = int.from_bytes(digest) * MAX_BLOCKS
    hashes = tuple(range(first, first + num_blocks))
    return replace(request, prefix_hashes=hashes, block_tokens=BLOCK_TOKENS)
