"""The times at which the tokens of one answer arrive."""

from itertools import pairwise

from scoot_ray.core.request import Request, RequestRecord
from trainables.clock import Clock


class Answer:
    """Note when the tokens of one answer arrive, in seconds from the start of the load.

    Args:
        clock: Tells the time.
        start_s: The clock's time at the start of the load.
        num_tokens: Tokens that it will have.

    Attributes:
        sent_s: When its request was sent.
    """

    def __init__(self, clock: Clock, start_s: float, num_tokens: int) -> None:
        self._clock = clock
        self._start_s = start_s
        self._num_tokens = num_tokens
        self.sent_s = self._now_s()
        self._arrivals_s: list[float] = []
        self._counts: list[int] = []

    def take(self, num_tokens: int) -> None:
        """Note the arrival of `num_tokens` tokens at once."""
        if num_tokens > 0:
            self._arrivals_s.append(self._now_s())
            self._counts.append(num_tokens)

    @property
    def first_token_s(self) -> float | None:
        """When the first token arrived; None if none has."""
        return self._arrivals_s[0] if self._arrivals_s else None

    @property
    def has_all_tokens(self) -> bool:
        """Tell whether only the end of the answer is missing."""
        return sum(self._counts) >= self._num_tokens

    def record(
        self, request: Request, prompt_tokens: int | None, error: str | None
    ) -> RequestRecord:
        """Close the record of a request that has just ended.

        Args:
            request: What was asked for.
            prompt_tokens: Tokens in, as the engine counted them, if it did.
            error: What went wrong, if anything.
        """
        return RequestRecord(
            due_s=request.arrival_s,
            sent_s=self.sent_s,
            first_token_s=self.first_token_s,
            last_token_s=self._arrivals_s[-1] if self._arrivals_s else None,
            finished_s=self._now_s(),
            prompt_tokens=request.prompt_tokens if prompt_tokens is None else prompt_tokens,
            output_tokens=sum(self._counts),
            error=error,
            token_gaps_s=tuple(self._gaps_s()),
        )

    def _gaps_s(self) -> list[float]:
        gaps_s = [0.0] * (self._counts[0] - 1) if self._counts else []
        for (before_s, now_s), num_tokens in zip(
            pairwise(self._arrivals_s), self._counts[1:], strict=True
        ):
            # Tokens that come in one chunk come together: nothing passes between them.
            gaps_s += [now_s - before_s, *[0.0] * (num_tokens - 1)]
        return gaps_s

    def _now_s(self) -> float:
        return self._clock.now() - self._start_s
