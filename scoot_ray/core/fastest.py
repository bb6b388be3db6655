"""What an engine can do at best, from the answers of a load so far.

A stress test begins with an empty engine, which hardly ever has less to do afterwards: hardly any
later answer is faster than the fastest of the first ones. Its last tokens may be, when nothing else
is left to do; but once everything has been sent, the tokens of all answers together do not come
much faster than they did. `benchmarks.early_stop` counts the tests that did better than was held
possible.
"""

import math
from dataclasses import dataclass

import numpy as np

from scoot_ray.core.partial_load import FloatArray, PartialLoad

LEAST_ANSWERS = 20
"""From fewer nothing is supposed."""
MARGIN = 0.9
"""Part of the fastest time so far below which none is expected."""
LAST_MARGIN = 0.6
"""The same for what is left of an answer, which may see the engine with less to do than before."""
LATELY = 0.25
"""Part of the time so far over which the rate of tokens is taken."""
LEAST_TOKENS = 200
"""So many make a rate."""
MOST_SPEEDUP = 1.5
"""How much faster they may come; on the simulator they mostly come slower, and seldom so fast."""


@dataclass(frozen=True)
class Fastest:
    """Hold the least that an answer takes, whatever the load, and the most that the engine gives.

    Attributes:
        ttft_s: Seconds to the first token.
        tpot_s: Seconds for each token after it, on average over an answer.
        gap_s: Seconds for each token that is left of an answer.
        tokens_per_s: Of all answers together; infinite while requests are still being sent.
    """

    ttft_s: float
    tpot_s: float
    gap_s: float
    tokens_per_s: float

    @classmethod
    def of(cls, load: PartialLoad) -> "Fastest":
        """Estimate from the answers that have begun and ended."""
        ttfts_s, paces_s = load.first_s - load.sent_s, _paces_s(load)
        ttft_s, tpot_s = _least_s(ttfts_s[~np.isnan(ttfts_s)]), _least_s(paces_s)
        return cls(MARGIN * ttft_s, MARGIN * tpot_s, LAST_MARGIN * tpot_s, _most_tokens_per_s(load))


def _paces_s(load: PartialLoad) -> FloatArray:
    """Return the seconds for each gap of the answers that have ended, shape [a].

    Those that go on tell less: at first the engine is busy with prompts.
    """
    num_gaps = load.output_tokens - 1
    has_ended = ~np.isnan(load.last_s) & (num_gaps > 0)
    return np.asarray((load.last_s - load.first_s)[has_ended] / num_gaps[has_ended])


def _most_tokens_per_s(load: PartialLoad) -> float:
    since_s = (1.0 - LATELY) * load.now_s
    num_by_now, num_before = (load.tokens_by(s, load.num_tokens) for s in (load.now_s, since_s))
    is_sent = load.now_s >= load.due_s.max(initial=0.0)
    # Not a number where a server does not tell how many tokens have come.
    if not (is_sent and num_by_now - num_before >= LEAST_TOKENS):
        return math.inf
    return MOST_SPEEDUP * (num_by_now - num_before) / (load.now_s - since_s)


def _least_s(times_s: FloatArray) -> float:
    return float(times_s.min()) if len(times_s) >= LEAST_ANSWERS else 0.0


NOTHING_KNOWN = Fastest(0.0, 0.0, 0.0, math.inf)
