"""Selection: which requests of a trace a stress test may send."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request

Selection = Literal["heaviest_half", "all"]


def fitting(requests: Sequence[Request], max_model_len: int) -> tuple[Request, ...]:
    """Keep the requests whose prompt and output fit in the model's context.

    Raises:
        TraceError: When none fits, naming the `max_model_len` that the smallest one needs.
    """
    kept = tuple(request for request in requests if request.total_tokens <= max_model_len)
    if not kept:
        needed = min(request.total_tokens for request in requests)
        raise TraceError(
            f"None of the {len(requests)} requests fits in max_model_len={max_model_len}; "
            f"the smallest needs max_model_len={needed}. Raise engine.fixed.max_model_len, "
            "or use another trace."
        )
    return kept


def select(requests: Sequence[Request], selection: Selection) -> tuple[Request, ...]:
    """Keep all requests, or the half with the most total tokens; the order stays.

    An odd request counts to the heavier half; of equally heavy requests the earlier are kept.
    """
    if selection == "all":
        return tuple(requests)
    totals = np.array([request.total_tokens for request in requests])
    heaviest = np.argsort(-totals, kind="stable")[: (len(requests) + 1) // 2]
    return tuple(requests[index] for index in sorted(heaviest))
