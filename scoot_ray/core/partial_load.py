"""A load that is still running: what has happened to each of its requests so far."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.request import Request, RequestRecord

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST_S = 1e-9  # stands for no time where one divides by it


@dataclass(frozen=True, slots=True)
class InFlight:
    """Describe a request that was sent and has not ended.

    Attributes:
        index: Its place in the load.
        sent_s: When it was sent.
        first_token_s: When its first token arrived; None if none has.
        num_tokens: Tokens that have arrived; None if the server tells that at the end only.
    """

    index: int
    sent_s: float
    first_token_s: float | None
    num_tokens: int | None = None


class PartialLoad:
    """Hold a load whose requests and lengths are known and whose end is not.

    All arrays have shape [n], one entry for each request, times in seconds from the start of the
    load; NaN where something has not happened.

    Attributes:
        now_s: The moment that the rest describes.
        due_s: When each request is to be sent.
        output_tokens: Tokens out, which are forced.
        sent_s: When it was sent.
        first_s: When its first token arrived.
        num_tokens: Tokens that have arrived, where the server has told.
        last_s: When its last token arrived, if it completed.
        finished_s: When it ended, if it completed.
        failed: Marks those that ended without all of their tokens.
        num_in_flight: Requests that were sent and have not ended.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        num = len(requests)
        self.now_s = 0.0
        self.due_s: FloatArray = np.array([r.arrival_s for r in requests], dtype=np.float64)
        self.output_tokens = np.array([r.output_tokens for r in requests], dtype=np.float64)
        self.sent_s: FloatArray = np.full(num, math.nan)
        self.first_s: FloatArray = np.full(num, math.nan)
        self.num_tokens: FloatArray = np.full(num, math.nan)
        self.last_s: FloatArray = np.full(num, math.nan)
        self.finished_s: FloatArray = np.full(num, math.nan)
        self.failed: BoolArray = np.zeros(num, dtype=np.bool_)
        self.num_in_flight = 0

    def end(self, index: int, record: RequestRecord) -> None:
        """Take in what became of a request."""
        self.failed[index] = not record.completed
        self.sent_s[index] = record.sent_s
        if record.completed:
            self.first_s[index] = record.first_token_s
            self.last_s[index] = record.last_token_s
            self.finished_s[index] = record.finished_s
            self.num_tokens[index] = record.output_tokens

    def observe(self, now_s: float, in_flight: Iterable[InFlight]) -> None:
        """Take in every request that is in flight at `now_s`; of the others nothing is assumed.

        No token or end that is not told by now may come before `now_s`, of those in flight.
        """
        self.now_s = now_s
        is_open = self.is_open
        self.sent_s[is_open] = math.nan
        self.first_s[is_open] = math.nan
        self.num_tokens[is_open] = math.nan
        self.num_in_flight = 0
        for request in in_flight:
            self.num_in_flight += 1
            self.sent_s[request.index] = request.sent_s
            if request.first_token_s is not None:
                self.first_s[request.index] = request.first_token_s
            if request.num_tokens is not None:
                self.num_tokens[request.index] = request.num_tokens

    @property
    def is_open(self) -> BoolArray:
        """Mark the requests that have not ended."""
        return np.asarray(np.isnan(self.finished_s) & ~self.failed)

    @property
    def starts_s(self) -> FloatArray:
        """When each request was sent, or else is due."""
        return np.where(np.isnan(self.sent_s), self.due_s, self.sent_s)

    def times_of(self, ttft_s: FloatArray, stream_s: FloatArray) -> dict[str, FloatArray]:
        """Return TTFT, TPOT and latency of each request, shape [n]; NaN where it has none.

        Args:
            ttft_s: To the first token, shape [n].
            stream_s: From the first token to the last, shape [n].
        """
        num_gaps = self.output_tokens - 1
        tpot_s = np.where(num_gaps > 0, stream_s / np.maximum(num_gaps, 1), math.nan)
        return {"ttft": ttft_s, "tpot": tpot_s, "latency": ttft_s + stream_s}

    def tokens_by(self, moment_s: float, num_tokens: FloatArray) -> float:
        """Count the tokens of all answers that came by a moment, as if evenly one after another.

        Args:
            moment_s: At most `now_s`.
            num_tokens: Of each answer so far, shape [n]; NaN only where it has not begun, or else
                the result is NaN.
        """
        has_begun = ~np.isnan(self.first_s)
        since_s, by_s = (
            self.first_s[has_begun],
            np.nan_to_num(self.last_s[has_begun], nan=self.now_s),
        )
        shares = np.clip((moment_s - since_s) / np.maximum(by_s - since_s, LEAST_S), 0.0, 1.0)
        return float((shares * num_tokens[has_begun]).sum())
