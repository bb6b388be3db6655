"""A trace in numbers: rate, burstiness, lengths, sessions, prefix sharing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoot_ray.core.request import Request
from traces.conversations import with_conversations
from traces.prefix_sharing import shared_prompt_tokens
from traces.schema import Trace

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class TraceSummary:
    """Describe a trace.

    Attributes:
        gap_cv: Coefficient of variation of the gaps between arrivals: 0 when they are even, 1 when
            Poisson, more when they come in bursts; None with fewer than two gaps or no times.
        peak_rate_rps: Rate of the busiest of `arrivals_per_slot`; None without times.
        arrivals_per_slot: Requests in equal slots of the span; empty without times.
        prompt_tokens: Mean, quantiles and maximum, by name.
        output_tokens: The same of answers.
        prefix_share: Share of all prompt tokens that an infinite prefix cache would serve; None
            where the trace does not say what prompts share.
        num_sessions: Conversations; None where the trace names none.
    """

    gap_cv: float | None
    peak_rate_rps: float | None
    arrivals_per_slot: tuple[int, ...]
    prompt_tokens: dict[str, float]
    output_tokens: dict[str, float]
    prefix_share: float | None
    num_sessions: int | None


def summarize(trace: Trace, num_slots: int = 60) -> TraceSummary:
    """Compute the summary of a trace, its span cut into `num_slots`."""
    requests = trace.requests
    arrivals_s = np.array([request.arrival_s for request in requests])
    slots: tuple[int, ...] = ()
    peak_rate_rps = None
    if trace.span_s > 0:
        counts, _ = np.histogram(arrivals_s, bins=num_slots, range=(arrivals_s[0], arrivals_s[-1]))
        slots = tuple(map(int, counts))
        peak_rate_rps = max(slots) / (trace.span_s / num_slots)
    sessions = {request.session for request in requests} - {None}
    return TraceSummary(
        gap_cv=_gap_cv(np.diff(arrivals_s)),
        peak_rate_rps=peak_rate_rps,
        arrivals_per_slot=slots,
        prompt_tokens=_lengths([request.prompt_tokens for request in requests]),
        output_tokens=_lengths([request.output_tokens for request in requests]),
        prefix_share=_prefix_share(with_conversations(requests)),
        num_sessions=len(sessions) or None,
    )


def _gap_cv(gaps_s: np.ndarray) -> float | None:
    if len(gaps_s) < 2 or not gaps_s.mean() > 0:
        return None
    return float(gaps_s.std() / gaps_s.mean())


def _lengths(tokens: Sequence[int]) -> dict[str, float]:
    quantiles = np.quantile(tokens, list(QUANTILES.values()))
    return {
        "mean": float(np.mean(tokens)),
        **dict(zip(QUANTILES, map(float, quantiles), strict=True)),
        "max": float(max(tokens)),
    }


def _prefix_share(requests: Sequence[Request]) -> float | None:
    if not any(request.prefix_hashes for request in requests):
        return None
    return shared_prompt_tokens(requests) / sum(request.prompt_tokens for request in requests)


def doubling_histogram(values: Sequence[int]) -> list[tuple[int, int, int]]:
    """Count values in classes that double: from low, to high (both included), how many.

    Classes run from that of the smallest value, 1 or more, to that of the largest.
    """
    classes = [value.bit_length() for value in values]
    return [
        (2 ** (c - 1), 2**c - 1, classes.count(c)) for c in range(min(classes), max(classes) + 1)
    ]
