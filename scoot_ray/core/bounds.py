"""What the metrics of a load can at best still become, while it runs.

symbol   meaning                                                         shape
n        requests of the load that have not failed
k        requests that may still fail without the test being INFEASIBLE
times    the least that a request's TTFT, TPOT or latency can become     [n]
fastest  the least that the engine ever needs for a TTFT, a TPOT and the tokens to come

What has not happened yet happens after now, and takes at least as long as the engine needs at its
fastest. Up to k requests may fail and leave the summary, so the k largest times are dropped: a mean
or a percentile of what is left is at most that of any n - k or more of the values, whichever they
are.

There is no bound for ITL, whose gaps a running answer still keeps to itself, nor for the rate of
all tokens: how many a prompt has is what the engine says when it answers.
"""

import math
from collections.abc import Mapping

import numpy as np

from scoot_ray.core.fastest import NOTHING_KNOWN, Fastest
from scoot_ray.core.metrics import PERCENTILES, STATISTICS
from scoot_ray.core.partial_load import FloatArray, PartialLoad


def best_possible(
    load: PartialLoad,
    *,
    max_failed_share: float,
    share: float = 1.0,
    bounds_s: Mapping[str, float] | None = None,
    fastest: Fastest = NOTHING_KNOWN,
) -> dict[str, float]:
    """Bound what `core.metrics.summarize` will say of a load once it has ended.

    Args:
        load: The load so far.
        max_failed_share: Part of the requests that may fail before the test is INFEASIBLE.
        share: As for `summarize`.
        bounds_s: As for `summarize`.
        fastest: What the engine can do at best; without it, everything in no time.

    Returns:
        By metric name the least that a time and the most that a rate can become; empty when so
        many requests have failed that there will be no metrics.
    """
    num_may_fail = math.floor(max_failed_share * len(load.failed)) - int(load.failed.sum())
    if num_may_fail < 0 or load.failed.all():
        return {}
    times = _least_times(load, fastest)
    bounds = _rates(load, times, fastest, num_may_fail, share, bounds_s or {})
    for quantity, values in times.items():
        known = values[~np.isnan(values) & ~load.failed]
        kept = np.sort(known)[: max(1, len(known) - num_may_fail)]
        bounds |= statistics_of(quantity, kept)
    return bounds


def _least_times(load: PartialLoad, fastest: Fastest) -> dict[str, FloatArray]:
    """Return the least that each request's times can become; NaN where it will have none."""
    is_sent, is_started = ~np.isnan(load.sent_s), ~np.isnan(load.first_s)
    waited_s = np.where(is_sent, load.now_s - load.sent_s, 0.0)
    ttft_s = np.where(is_started, load.first_s - load.sent_s, np.maximum(waited_s, fastest.ttft_s))
    num_gaps = load.output_tokens - 1
    streamed_s = np.where(is_started, load.now_s - load.first_s, 0.0)
    # The first token of an answer ends no gap.
    streamed_s += fastest.gap_s * np.minimum(_least_to_come(load), num_gaps)
    stream_s = np.where(
        np.isnan(load.last_s),
        np.maximum(streamed_s, fastest.tpot_s * num_gaps),
        load.last_s - load.first_s,
    )
    least = load.times_of(ttft_s, stream_s)
    return {quantity: np.maximum(values, 0.0) for quantity, values in least.items()}


def _least_to_come(load: PartialLoad) -> FloatArray:
    """Return the tokens that each answer lacks; none where the server does not tell, [n]."""
    num_tokens = np.where(np.isnan(load.first_s), 0.0, load.num_tokens)
    return np.nan_to_num(load.output_tokens - num_tokens)


def statistics_of(quantity: str, values: FloatArray) -> dict[str, float]:
    """Return a quantity's statistics by metric name; none without a value."""
    if not values.size:
        return {}
    summary = [float(values.mean()), *map(float, np.percentile(values, PERCENTILES))]
    return {f"{quantity}_{s}_s": v for s, v in zip(STATISTICS, summary, strict=True)}


def weights_of(
    load: PartialLoad, times: Mapping[str, FloatArray], bounds_s: Mapping[str, float]
) -> dict[str, FloatArray]:
    """Return what each request counts in each rate once it has completed, shape [n].

    Args:
        load: The load so far.
        times: Of each request, by quantity, shape [n]; NaN where it has none.
        bounds_s: What makes a request count as goodput, as for `summarize`.
    """
    good = np.ones(len(load.output_tokens), dtype=np.bool_)
    for quantity, bound_s in bounds_s.items():
        if quantity in times:
            good &= ~(times[quantity] > bound_s)
    return {
        "throughput_rps": np.ones(len(good)),
        "goodput_rps": good.astype(np.float64),
        "output_tokens_per_s": load.output_tokens,
    }


def _rates(
    load: PartialLoad,
    times: Mapping[str, FloatArray],
    fastest: Fastest,
    num_may_fail: int,
    share: float,
    bounds_s: Mapping[str, float],
) -> dict[str, float]:
    """Return the most that each rate can become.

    Of j more failures the best are those of the requests that would end last, of those that have
    most tokens to come, and of those that weigh least; all at once can only be too good.
    """
    alive, is_open = ~load.failed, load.is_open
    ends_s = np.where(is_open, load.starts_s + times["latency"], load.finished_s)
    latest_s = np.sort(ends_s[alive])[::-1]
    num_kinds = min(num_may_fail, int(is_open.sum()), len(latest_s) - 1) + 1
    to_come = np.sort(_least_to_come(load)[is_open])[::-1]
    num_to_come = to_come.sum() - np.concatenate([[0.0], np.cumsum(to_come[: num_kinds - 1])])
    # Without anything to come, everything ended before now.
    tokens_s = np.where(num_to_come > 0, load.now_s + num_to_come / fastest.tokens_per_s, 0.0)
    spans_s = np.maximum(latest_s[:num_kinds], tokens_s)
    if spans_s[-1] <= 0:
        return {}
    rates = {}
    for metric, weight in weights_of(load, times, bounds_s).items():
        lost = np.cumsum(np.sort(weight[is_open])[: num_kinds - 1])
        most = weight[alive].sum() - np.concatenate([[0.0], lost])
        rates[metric] = float((most / spans_s).max()) / share
    return rates
