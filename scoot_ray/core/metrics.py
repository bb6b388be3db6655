"""From request records to the named numbers that objectives and limits speak of.

Names are `<quantity>_<statistic>_s` for the quantities TTFT, TPOT, ITL and latency, and
`throughput_rps`, `goodput_rps`, `output_tokens_per_s`, `total_tokens_per_s` for rates.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from scoot_ray.core.errors import StudyError
from scoot_ray.core.request import RequestRecord

STATISTICS = ("mean", "p50", "p90", "p95", "p99")
PERCENTILES = (50, 90, 95, 99)
QUANTITIES = ("ttft", "tpot", "itl", "latency")
RATES = ("throughput_rps", "goodput_rps", "output_tokens_per_s", "total_tokens_per_s")
METRICS = RATES + tuple(f"{q}_{s}_s" for q in QUANTITIES for s in STATISTICS)
MAX_SCHEDULE_LAG_S = 0.010
"""Beyond it, the load client may have been the bottleneck, and not the engine."""


def direction_of(metric: str) -> Literal["min", "max"]:
    """Return the direction in which a metric is better: "max" for rates, "min" for times."""
    return "max" if metric in RATES else "min"


def quantity_of(metric: str) -> str | None:
    """Return the per-request quantity that a metric summarises, or None for a rate."""
    return None if metric in RATES else metric.split("_", 1)[0]


def lateness_s(metrics: Mapping[str, float]) -> float:
    """Return how late requests were sent (p99) in a test that is flagged for it; else 0."""
    lag_s = metrics.get("schedule_lag_p99_s", 0.0)
    return lag_s if lag_s > MAX_SCHEDULE_LAG_S else 0.0


def summarize(
    records: Sequence[RequestRecord],
    *,
    share: float = 1.0,
    bounds_s: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Summarise the records of one stress test.

    Args:
        records: Every request of the load, failed ones included; warm-up left out.
        share: Part of the service's GPUs that the test used, in (0, 1]. Rates count
            `1 / share` times: the service would run that many replicas side by side.
        bounds_s: Per-request bounds by quantity ("ttft", "tpot", "latency"); `goodput_rps`
            counts the requests that meet all of them.

    Returns:
        Metric values by name, plus `num_requests`, `num_completed`, `num_failed`,
        `schedule_lag_p99_s` and `peak_in_flight`, the most requests in flight, `1 / share` times.
        A metric with no data (TPOT of one-token answers) is left out.

    Raises:
        StudyError: If there is no record at all.
    """
    if not records:
        raise StudyError("The stress test sent no request; raise request_rate_rps or duration_s.")
    done = [record for record in records if record.completed]
    metrics = {
        "num_requests": float(len(records)),
        "num_completed": float(len(done)),
        "num_failed": float(len(records) - len(done)),
        "schedule_lag_p99_s": float(np.percentile([r.lag_s for r in records], 99)),
        "peak_in_flight": _peak_in_flight(records) / share,
    }
    if not done:
        return metrics
    metrics |= _rates(done, share, bounds_s or {})
    samples: dict[str, ArrayLike] = {
        "ttft": [r.ttft_s for r in done],
        "tpot": [r.tpot_s for r in done if r.tpot_s is not None],
        "itl": np.concatenate([r.token_gaps_s for r in done]),
        "latency": [r.latency_s for r in done],
    }
    for quantity, values in samples.items():
        metrics |= _statistics(quantity, values)
    return metrics


def _peak_in_flight(records: Sequence[RequestRecord]) -> int:
    sent_s = np.sort([r.sent_s for r in records])
    ended_s = np.sort([r.finished_s for r in records])
    ended = np.searchsorted(ended_s, sent_s, side="left")
    return int((np.arange(1, len(sent_s) + 1) - ended).max())


def _rates(
    done: Sequence[RequestRecord], share: float, bounds_s: Mapping[str, float]
) -> dict[str, float]:
    # Throughput is completed / time to the last completion (design, section 6).
    span_s = max(r.finished_s for r in done)
    scale = 1.0 / (span_s * share)
    return {
        "throughput_rps": len(done) * scale,
        "goodput_rps": sum(_meets(r, bounds_s) for r in done) * scale,
        "output_tokens_per_s": sum(r.output_tokens for r in done) * scale,
        "total_tokens_per_s": sum(r.prompt_tokens + r.output_tokens for r in done) * scale,
    }


def _meets(record: RequestRecord, bounds_s: Mapping[str, float]) -> bool:
    return all(_worst(record, name) <= bound_s for name, bound_s in bounds_s.items())


def _worst(record: RequestRecord, quantity: str) -> float:
    """Return a request's time, the longest of several; 0 if it has none."""
    if quantity == "itl":
        return max(record.token_gaps_s, default=0.0)
    value: float | None = getattr(record, f"{quantity}_s")
    return value or 0.0


def _statistics(quantity: str, values: ArrayLike) -> dict[str, float]:
    array = np.asarray(values, dtype=float)
    if not array.size:
        return {}
    quantiles = np.percentile(array, PERCENTILES)
    summary = [float(array.mean()), *map(float, quantiles)]
    return {f"{quantity}_{s}_s": v for s, v in zip(STATISTICS, summary, strict=True)}
