"""What an engine can do at best, from the answers of a load so far.

A stress test begins with an empty engine, which never has less to do afterwards: hardly any later
answer is faster than the fastest of the first ones. `benchmarks.early_stop` counts the tests that
did better than was held possible.
"""

from dataclasses import dataclass

import numpy as np

from scoot_ray.core.partial_load import PartialLoad

LEAST_ANSWERS = 20
"""Nothing is supposed of an engine that has given fewer answers."""
MARGIN = 0.9
"""Part of the fastest time so far below which none is expected."""


@dataclass(frozen=True)
class Fastest:
    """Hold the least that an answer takes, whatever the load.

    Attributes:
        ttft_s: Seconds to the first token.
        tpot_s: Seconds for each token after it.
    """

    ttft_s: float
    tpot_s: float

    @classmethod
    def of(cls, load: PartialLoad) -> "Fastest":
        """Estimate from the answers that are complete."""
        num_gaps = load.output_tokens - 1
        is_complete = ~np.isnan(load.last_s) & (num_gaps > 0)
        if is_complete.sum() < LEAST_ANSWERS:
            return NOTHING_KNOWN
        ttfts_s = load.first_s - load.sent_s
        tpots_s = (load.last_s - load.first_s) / np.maximum(num_gaps, 1)
        return cls(
            MARGIN * float(ttfts_s[is_complete].min()), MARGIN * float(tpots_s[is_complete].min())
        )


NOTHING_KNOWN = Fastest(0.0, 0.0)
