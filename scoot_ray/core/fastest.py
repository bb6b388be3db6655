"""What an engine can do at best, from the answers of a load so far.

A stress test begins with an empty engine, which hardly ever has less to do afterwards: hardly any
later answer is faster than the fastest of the first ones. Its last tokens may be, when nothing else
is left to do. `benchmarks.early_stop` counts the tests that did better than was held possible.
"""

from dataclasses import dataclass

import numpy as np

from scoot_ray.core.partial_load import PartialLoad

LEAST_ANSWERS = 20
"""Nothing is supposed of an engine that has given fewer answers."""
MARGIN = 0.9
"""Part of the fastest time so far below which none is expected."""
LAST_MARGIN = 0.6
"""The same for what is left of an answer, which may see the engine with less to do than before."""


@dataclass(frozen=True)
class Fastest:
    """Hold the least that an answer takes, whatever the load.

    Attributes:
        ttft_s: Seconds to the first token.
        tpot_s: Seconds for each token after it, on average over an answer.
        gap_s: Seconds for each token that is left of an answer.
    """

    ttft_s: float
    tpot_s: float
    gap_s: float

    @classmethod
    def of(cls, load: PartialLoad) -> "Fastest":
        """Estimate from the answers that are complete."""
        num_gaps = load.output_tokens - 1
        is_complete = ~np.isnan(load.last_s) & (num_gaps > 0)
        if is_complete.sum() < LEAST_ANSWERS:
            return NOTHING_KNOWN
        ttfts_s = load.first_s - load.sent_s
        tpots_s = (load.last_s - load.first_s) / np.maximum(num_gaps, 1)
        ttft_s, tpot_s = (float(times[is_complete].min()) for times in (ttfts_s, tpots_s))
        return cls(MARGIN * ttft_s, MARGIN * tpot_s, LAST_MARGIN * tpot_s)


NOTHING_KNOWN = Fastest(0.0, 0.0, 0.0)
