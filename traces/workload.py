"""The load of one stress test: which requests are sent, and when."""

from dataclasses import dataclass, replace

import numpy as np

from scoot_ray.core.request import Request
from scoot_ray.core.sections import WorkloadSection
from traces.arrivals import poisson_arrivals, trace_arrivals
from traces.conversations import with_conversations
from traces.schema import Trace
from traces.selection import fitting, select


@dataclass(frozen=True)
class Load:
    """Hold the requests of one stress test.

    Attributes:
        warmup: Sent before the load and not counted; all arrive at 0.
        requests: At least one, sorted by arrival, which counts from the start of the load.
        num_too_long: Requests of the trace that do not fit in the model's context.
    """

    warmup: tuple[Request, ...]
    requests: tuple[Request, ...]
    num_too_long: int


def make_load(
    trace: Trace, workload: WorkloadSection, *, share: float, max_model_len: int, seed: int
) -> Load:
    """Draw the load of one stress test from a trace.

    Args:
        trace: The service's requests.
        workload: Selection, arrivals, rate and duration.
        share: Part of the service's traffic that the tested replica receives, in (0, 1].
        max_model_len: Prompt and output tokens that the model holds together.
        seed: The same seed gives the same load.

    Raises:
        TraceError: If no request fits in the model, or the trace's own arrival times are asked
            for and it has none.
    """
    rng = np.random.default_rng(seed)
    fits = fitting(with_conversations(trace.requests), max_model_len)
    selected = select(fits, workload.select)
    rate_rps, duration_s = workload.request_rate_rps, workload.duration_s
    if workload.arrivals == "poisson":
        requests = poisson_arrivals(selected, rate_rps * share, duration_s, rng)
    else:
        requests = trace_arrivals(selected, rate_rps, duration_s, share, rng)
    drawn = rng.integers(len(selected), size=workload.warmup_requests)
    warmup = tuple(replace(selected[index], arrival_s=0.0) for index in drawn)
    return Load(warmup, requests, num_too_long=len(trace.requests) - len(fits))
