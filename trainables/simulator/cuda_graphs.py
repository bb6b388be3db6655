"""Which steps a captured CUDA graph serves, and up to how many tokens they are padded."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.simulator.config import EngineConfig

MAX_TOKENS = 512  # vLLM V1's ceiling (1,024 on data-centre Blackwell); V0 stops at 256
V0_MAX_TOKENS = 256
FINE_STEP, COARSE_STEP = 8, 16


@lru_cache(maxsize=1024)
def capture_sizes(config: "EngineConfig", *, covers_prefill: bool = True) -> tuple[int, ...]:
    """List the numbers of tokens that graphs are captured for, ascending; none in eager mode.

    Args:
        config: The engine's parameters.
        covers_prefill: As V1 does; V0 captures decode steps alone.

    Sources: `VllmConfig._set_cudagraph_sizes` of vLLM 0.32, and `_BATCH_SIZES_TO_CAPTURE` of
    vLLM 0.6, which rounds max_num_seqs up.
    """
    if config.enforce_eager:
        return ()
    if not covers_prefill:
        max_seqs = -(-config.max_num_seqs // FINE_STEP) * FINE_STEP
        most = min(max_seqs if config.max_num_seqs > 4 else config.max_num_seqs, V0_MAX_TOKENS)
        return tuple(size for size in (1, 2, 4, *range(8, most + 1, FINE_STEP)) if size <= most)
    most = min(2 * config.max_num_seqs, MAX_TOKENS, config.max_num_batched_tokens)
    coarse = 256
    sizes = {1, 2, 4, *range(8, coarse, FINE_STEP), *range(coarse, most + 1, COARSE_STEP)}
    # A full decode batch and a full token budget are captured even off the grid.
    sizes |= {config.max_num_seqs, config.max_num_batched_tokens}
    return tuple(sorted(size for size in sizes if size <= most))


def padded(num_tokens: int, sizes: Sequence[int]) -> int:
    """Return the capture size that serves `num_tokens`, or `num_tokens` where none does."""
    index = bisect_left(sizes, num_tokens)
    return sizes[index] if index < len(sizes) else num_tokens
