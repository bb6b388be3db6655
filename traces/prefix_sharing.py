"""Prefix sharing: what an infinite prefix cache would save of a trace's prompts."""

from collections.abc import Iterable

from scoot_ray.core.request import Request


def shared_prompt_tokens(requests: Iterable[Request]) -> int:
    """Count the prompt tokens that earlier requests have already brought, in order of arrival.

    A block is shared if an earlier prompt has the same identifier after the same blocks.
    """
    # A trie: the node that follows a node by a block. Requests of other block sizes share nothing.
    nodes: dict[tuple[int, int], int] = {}
    num_shared = 0
    for request in requests:
        node, num_hits, is_hit = -request.block_tokens, 0, True
        for block in request.prefix_hashes:
            is_hit = is_hit and (node, block) in nodes
            num_hits += is_hit
            node = nodes.setdefault((node, block), len(nodes) + 1)
        # The last block of a prompt may be a partial one.
        num_shared += min(num_hits * request.block_tokens, request.prompt_tokens)
    return num_shared
