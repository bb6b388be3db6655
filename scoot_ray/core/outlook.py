"""What the metrics of a load would probably have come to, had it gone on as it went lately.

A guess, unlike `core.bounds`: it ends no test, but it tells the search how bad one was that was
ended early. Lately is the second half of the time so far.

symbol   meaning                                                         shape
times    what a request's TTFT, TPOT or latency will probably be         [n]
ttft     without a first token: on the line through those that came lately
tpot     without a last token: that of the answers that ended lately
span     until the last answer: the tokens to come, at the rate of those that came lately
"""

from collections.abc import Mapping

import numpy as np

from scoot_ray.core.bounds import statistics_of, weights_of
from scoot_ray.core.partial_load import LEAST_S, FloatArray, PartialLoad

LATELY = 0.5


def outlook(
    load: PartialLoad, *, share: float = 1.0, bounds_s: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Guess what `core.metrics.summarize` would say of a load, were it to go on.

    Args:
        load: The load so far; what is open is taken to complete.
        share: As for `summarize`.
        bounds_s: As for `summarize`.

    Returns:
        Values by metric name; those that nothing tells of yet are left out.
    """
    alive, times = ~load.failed, _likely_times(load)
    metrics: dict[str, float] = {}
    for quantity, values in times.items():
        metrics |= statistics_of(quantity, values[alive & ~np.isnan(values)])
    return metrics | _likely_rates(load, times, share, bounds_s or {})


def _likely_times(load: PartialLoad) -> dict[str, FloatArray]:
    """Return what each request's times will probably be; NaN where it will have none.

    TTFT alone is told while no pace is known.
    """
    ttft_s, pace_s, num_gaps = _likely_ttfts(load), _pace_s(load), load.output_tokens - 1
    if pace_s is None:
        return {"ttft": ttft_s}
    streamed_s = np.nan_to_num(load.now_s - load.first_s)
    guess_s = np.maximum(streamed_s, pace_s * num_gaps)
    stream_s = np.where(np.isnan(load.last_s), guess_s, load.last_s - load.first_s)
    return load.times_of(ttft_s, stream_s)


def _likely_ttfts(load: PartialLoad) -> FloatArray:
    """Extend the line through those of the answers that began lately; a queue grows like that."""
    known_s = load.first_s - load.sent_s
    came_lately = load.first_s >= _lately_s(load)
    sent_s, came_s = load.sent_s[came_lately], known_s[came_lately]
    guess_s: FloatArray = np.zeros(len(known_s))
    if came_s.size:
        spread = sent_s - sent_s.mean()
        # A queue that has begun to shrink may be served before the rest arrives, or not.
        slope = max(0.0, float(spread @ came_s) / max(float(spread @ spread), LEAST_S))
        guess_s = came_s.mean() + slope * (load.starts_s - sent_s.mean())
    waited_s = np.nan_to_num(load.now_s - load.sent_s)
    return np.where(np.isnan(known_s), np.maximum(waited_s, guess_s), known_s)


def _pace_s(load: PartialLoad) -> float | None:
    """Return the usual time of a gap, of what ended lately, ever, or goes on; None if unknown."""
    has_ended = ~np.isnan(load.last_s)
    num_gaps = load.num_tokens - 1
    streamed_s = np.where(has_ended, load.last_s, load.now_s) - load.first_s
    is_telling = (num_gaps > 0) & ~np.isnan(streamed_s)
    for usual in (has_ended & (load.last_s >= _lately_s(load)), has_ended, ~has_ended):
        if (usual & is_telling).any():
            return float(streamed_s[usual & is_telling].sum() / num_gaps[usual & is_telling].sum())
    return None


def _likely_rates(
    load: PartialLoad, times: Mapping[str, FloatArray], share: float, bounds_s: Mapping[str, float]
) -> dict[str, float]:
    if "latency" not in times:
        return {}
    span_s = _likely_span_s(load, times["latency"] - times["ttft"])
    if span_s is None:
        return {}
    weights, alive = weights_of(load, times, bounds_s), ~load.failed
    return {name: float(weight[alive].sum()) / span_s / share for name, weight in weights.items()}


def _likely_span_s(load: PartialLoad, stream_s: FloatArray) -> float | None:
    """Return when the last answer will probably end; None if no token came lately."""
    if not load.is_open.any():
        return float(np.nanmax(load.finished_s))
    guess = load.output_tokens * (load.now_s - load.first_s) / np.maximum(stream_s, LEAST_S)
    num_tokens = np.where(np.isnan(load.num_tokens), guess, load.num_tokens)
    since_s = _lately_s(load)
    num_by_now = load.tokens_by(load.now_s, num_tokens)
    num_lately = num_by_now - load.tokens_by(since_s, num_tokens)
    if num_lately <= 0:
        return None
    num_to_come = float(load.output_tokens[~load.failed].sum()) - num_by_now
    return load.now_s + num_to_come * (load.now_s - since_s) / num_lately


def _lately_s(load: PartialLoad) -> float:
    return load.now_s * (1.0 - LATELY)
