"""One request that is being served: what its client may already see of the answer."""

import asyncio
from collections.abc import AsyncIterator

from scoot_ray.core.failure import Failure
from scoot_ray.core.request import Request
from trainables.simulator.engine import EngineDeathError
from trainables.simulator.sequence import Sequence


class Generation:
    """Follow one request through the engine; times are the engine's own.

    Attributes:
        request: What was asked for.
        sequence: The request inside the engine; None until it has been queued there.
        num_tokens: Output tokens so far.
        num_cached_tokens: Prompt tokens that the prefix cache spared at the first admission.
        scheduled_s: When its first step began.
        first_token_s: When its first token came out.
        last_token_s: When its newest token came out.
    """

    def __init__(self, request: Request, stream_interval: int) -> None:
        self.request = request
        self.sequence: Sequence | None = None
        self.num_tokens = 0
        self.num_cached_tokens = 0
        self.scheduled_s: float | None = None
        self.first_token_s: float | None = None
        self.last_token_s: float | None = None
        self._stream_interval = stream_interval
        self._num_visible = 0
        self._failure: Failure | None = None
        self._news = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        """Tell whether all tokens are out."""
        return self.num_tokens == self.request.output_tokens

    async def stream(self) -> AsyncIterator[int]:
        """Yield how many tokens there are, whenever there is something new for the client.

        Raises:
            EngineDeathError: If the engine dies before the last token.
        """
        num_sent = 0
        while num_sent < self.request.output_tokens:
            await self._news.wait()
            self._news.clear()
            if self._failure is not None:
                raise EngineDeathError(self._failure)
            num_sent = self._num_visible
            yield num_sent

    def advance(self, num_tokens: int, now_s: float) -> None:
        """Take in that there are `num_tokens` tokens, the newest of them since `now_s`."""
        self.num_tokens = num_tokens
        if self.first_token_s is None:
            self.first_token_s = now_s
        self.last_token_s = now_s
        # As vLLM: the first token at once, then chunks, and the rest with the last token.
        if (num_tokens - 1) % self._stream_interval == 0 or self.is_complete:
            self._num_visible = num_tokens
            self._news.set()

    def fail(self, failure: Failure) -> None:
        """End the stream with the engine's failure."""
        self._failure = failure
        self._news.set()
