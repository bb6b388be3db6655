"""A request inside the engine: how far it is, and the KV blocks it holds."""

from array import array

import numpy as np

from scoot_ray.core.request import Request, RequestRecord
from trainables.simulator.prefix_tree import BlockKeys, Run


class Sequence:
    """Track one request from its arrival to its last token.

    Attributes:
        number: Unique in the engine's life; identifies tokens that no other request shares.
        request: What was asked for.
        num_tokens: Prompt tokens and those generated so far; not counting those of the decode
            batch that it is in.
        num_computed_tokens: How many of them have keys and values in the cache.
        prefix: Last run of the prefix that it holds, if it holds any.
        num_known_blocks: KV blocks held that other sequences can find.
        num_own_blocks: KV blocks held besides.
        num_committed_blocks: Leading blocks whose content the prefix cache knows.
        token_times_s: When each output token came out.
        num_cached_tokens: Prompt tokens that the prefix cache spared, at the first admission.
        num_preemptions: How often its blocks were taken away.
        finished_s: When it ended; None while it lives.
        error: Why it ended without all of its tokens, if it did.
    """

    __slots__ = (
        "error",
        "finished_s",
        "num_cached_tokens",
        "num_committed_blocks",
        "num_computed_tokens",
        "num_known_blocks",
        "num_own_blocks",
        "num_preemptions",
        "num_tokens",
        "number",
        "prefix",
        "prefix_keys",
        "request",
        "token_times_s",
    )

    def __init__(self, number: int, request: Request) -> None:
        self.number = number
        self.request = request
        self.num_tokens = request.prompt_tokens
        self.num_computed_tokens = 0
        self.prefix: Run | None = None
        self.num_known_blocks = 0
        self.num_own_blocks = 0
        self.num_committed_blocks = 0
        self.prefix_keys: BlockKeys | None = None
        self.token_times_s = array("d")
        self.num_cached_tokens = 0
        self.num_preemptions = 0
        self.finished_s: float | None = None
        self.error: str | None = None

    @property
    def num_blocks(self) -> int:
        """Count the KV blocks held."""
        return self.num_known_blocks + self.num_own_blocks

    def append_token(self, now_s: float) -> bool:
        """Take in a new token; tell whether it was the last one."""
        self.token_times_s.append(now_s)
        self.num_tokens += 1
        return len(self.token_times_s) == self.request.output_tokens

    def to_record(self, stream_interval: int) -> RequestRecord:
        """Report what a client saw that gets tokens in chunks of `stream_interval`."""
        assert self.finished_s is not None, "only sequences that ended have a record"
        times_s = _as_streamed(self.token_times_s, stream_interval)
        return RequestRecord(
            due_s=self.request.arrival_s,
            sent_s=self.request.arrival_s,
            first_token_s=times_s[0] if times_s else None,
            last_token_s=times_s[-1] if times_s else None,
            finished_s=self.finished_s,
            prompt_tokens=self.request.prompt_tokens,
            output_tokens=len(times_s),
            error=self.error,
            token_gaps_s=array("d", np.diff(times_s).tobytes()),
        )


def _as_streamed(times_s: "array[float]", stream_interval: int) -> "array[float]":
    """Delay each token to the end of its chunk; the first token is sent at once, as by vLLM."""
    if stream_interval <= 1 or not times_s:
        return times_s
    last = len(times_s) - 1
    ends = (-(-i // stream_interval) * stream_interval for i in range(len(times_s)))
    return array("d", (times_s[min(end, last)] for end in ends))
