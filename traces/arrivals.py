"""Arrivals: which request of a selection is sent when."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def poisson_arrivals(
    requests: Sequence[Request], rate_rps: float, duration_s: float, rng: np.random.Generator
) -> tuple[Request, ...]:
    """Send requests in a random order, as a Poisson process that ends at `duration_s`.

    Every test carries the same: `rate_rps * duration_s` requests, rounded, at least one, as
    `vllm bench serve` sends a stated number, and of sizes that are spread as the trace's are.
    Which requests these are, their order and their times differ by seed. Near saturation most of
    what one test differs from the next by is how much it happens to carry; one that carries what
    was asked for says as much as several that do so in the mean (`benchmarks.arrivals`).

    Every request is taken once before any is taken again, with another prompt.
    """
    num_arrivals = max(1, round(rate_rps * duration_s))
    # Given their number, the arrivals of a Poisson process are uniform and independent.
    times = np.sort(rng.uniform(0.0, duration_s, num_arrivals))
    num_rounds, num_left = divmod(num_arrivals, len(requests))
    rounds = [rng.permutation(len(requests)) for _ in range(num_rounds)]
    order = np.concatenate([*rounds, _balanced(requests, num_left, rng)])
    return tuple(
        _sent(requests[index], time, n // len(requests))
        for n, (index, time) in enumerate(zip(order, times, strict=True))
    )


def _balanced(requests: Sequence[Request], num: int, rng: np.random.Generator) -> IntArray:
    """Draw the indices of `num` different requests whose sizes are spread as those of all are.

    Systematic sampling by total tokens, in a random order: every request has the same chance.
    `num` is at most the number of requests.
    """
    sizes = np.array([request.total_tokens for request in requests])
    ranked = np.lexsort((rng.random(len(requests)), sizes))  # equally large ones in a random order
    places = (np.arange(num) * len(requests) + rng.integers(len(requests))) // max(num, 1)
    drawn: IntArray = rng.permutation(ranked[places])
    return drawn


def _sent(request: Request, time_s: float, round_number: int) -> Request:
    """Return a request as it is sent in a round of the trace.

    What it shares, it shares within the round. A prompt that comes again as it was would be found
    in the prefix cache whole, which the service's requests are not.
    """
    hashes = request.prefix_hashes
    if round_number > 0:
        hashes = tuple(hash((round_number, identifier)) for identifier in hashes)
    return replace(request, arrival_s=float(time_s), prefix_hashes=hashes)


def trace_arrivals(
    requests: Sequence[Request],
    rate_rps: float,
    duration_s: float,
    share: float,
    rng: np.random.Generator,
) -> tuple[Request, ...]:
    """Send requests at their own times, scaled to a mean of `rate_rps`, each with chance `share`.

    A window of `duration_s` is chosen at random from a longer trace; a shorter one starts over
    with other prompts until the window is full. There is at least one arrival.

    Raises:
        TraceError: If the requests have no arrival times of their own.
    """
    own_s = np.array([request.arrival_s for request in requests])
    if len(requests) > 1 and own_s[-1] == own_s[0]:
        raise TraceError(
            "The trace has no arrival times of its own; write `workload.arrivals: poisson`."
        )
    times, indices = _window(_scaled(own_s, rate_rps), len(requests) / rate_rps, duration_s, rng)
    kept = np.flatnonzero(rng.random(len(times)) < share)
    if not len(kept):
        kept = np.array([rng.integers(len(times))])
    rounds, places = np.divmod(indices, len(requests))
    return tuple(_sent(requests[places[i]], times[i], int(rounds[i])) for i in kept)


def _scaled(own_s: FloatArray, rate_rps: float) -> FloatArray:
    """Start at 0 and make the mean gap `1 / rate_rps`."""
    if len(own_s) == 1:
        return np.zeros(1)
    scaled_span_s = (len(own_s) - 1) / rate_rps
    scaled_s: FloatArray = (own_s - own_s[0]) / (own_s[-1] - own_s[0]) * scaled_span_s
    return scaled_s


def _window(
    scaled_s: FloatArray, period_s: float, duration_s: float, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """Cut `duration_s` out of the trace; returns the times from 0 and the requests' indices.

    Indices go on counting from round to round.
    """
    start_s = rng.uniform(0.0, max(0.0, period_s - duration_s))
    num_rounds = int(np.ceil((start_s + duration_s) / period_s)) + 1
    times = np.concatenate([scaled_s + r * period_s for r in range(num_rounds)]) - start_s
    indices = np.arange(num_rounds * len(scaled_s))
    inside = (times >= 0.0) & (times < duration_s)
    if not inside.any():  # the window fell into a lull: the next request opens it
        following = int(np.argmax(times >= 0.0))
        return np.zeros(1), indices[following : following + 1]
    return times[inside], indices[inside]
