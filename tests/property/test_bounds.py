"""The bounds of a running load hold whatever happens afterwards, and so does the bar."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoot_ray.core.assignment import Role
from scoot_ray.core.bar import Bar
from scoot_ray.core.bounds import best_possible
from scoot_ray.core.fastest import NOTHING_KNOWN, Fastest
from scoot_ray.core.metrics import RATES, summarize
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import finalists
from scoot_ray.core.partial_load import InFlight, PartialLoad
from scoot_ray.core.request import Request, RequestRecord
from scoot_ray.core.rivals import bar_to_reach
from scoot_ray.core.trial import TrialRecord

INTERACTIVE = (Objective("ttft_mean_s", "min"), Objective("tpot_mean_s", "min"))
OFFLINE = (Objective("throughput_rps", "max"),)


@st.composite
def records(draw: st.DrawFn) -> list[RequestRecord]:
    """Draw the records of a load, in the order of sending; some of them failed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    num, scale_s = draw(st.integers(1, 60)), draw(st.sampled_from([0.01, 1.0, 30.0]))
    failing = draw(st.sampled_from([0.0, 0.0, 0.1, 0.5]))
    due_s = np.sort(rng.uniform(0, 100, num))
    found = []
    for due in due_s.tolist():
        sent_s = due + float(rng.exponential(0.01))
        first_s = sent_s + float(rng.exponential(scale_s))
        num_tokens = int(rng.integers(1, 20))
        last_s = first_s + (num_tokens - 1) * float(rng.exponential(scale_s / 5))
        error, end_s = None, last_s
        if rng.random() < failing:
            error, end_s = "timeout", float(rng.uniform(sent_s, last_s))
        found.append(
            RequestRecord(
                due_s=due,
                sent_s=sent_s,
                first_token_s=first_s if first_s <= end_s else None,
                last_token_s=end_s if first_s <= end_s else None,
                finished_s=end_s,
                prompt_tokens=10,
                output_tokens=num_tokens,
                error=error,
            )
        )
    return found


def seen_at(now_s: float, found: list[RequestRecord]) -> PartialLoad:
    """Return what is known of a load at `now_s`."""
    load = PartialLoad([Request(r.due_s, r.prompt_tokens, r.output_tokens) for r in found])
    in_flight = []
    for index, record in enumerate(found):
        if record.finished_s <= now_s:
            load.end(index, record)
        elif record.sent_s <= now_s:
            in_flight.append(in_flight_at(now_s, index, record))
    load.observe(now_s, in_flight)
    return load


def in_flight_at(now_s: float, index: int, record: RequestRecord) -> InFlight:
    """Return what is known of a request in flight; a server tells its tokens, every other one."""
    first_s, num_tokens = record.first_token_s, tokens_at(now_s, record)
    if not num_tokens:
        return InFlight(index, record.sent_s, None, 0)
    return InFlight(index, record.sent_s, first_s, num_tokens if index % 2 else None)


def tokens_at(now_s: float, record: RequestRecord) -> int:
    """Count the tokens of an answer that have come, one after another at one pace."""
    first_s, last_s = record.first_token_s, record.last_token_s
    if first_s is None or last_s is None or first_s > now_s:
        return 0
    streamed = (now_s - first_s) / max(last_s - first_s, 1e-9)
    return min(record.output_tokens, 1 + math.floor(streamed * (record.output_tokens - 1)))


def fastest_of(found: list[RequestRecord], now_s: float = math.inf) -> Fastest:
    """Return the fastest of a whole load, and the rate at which its tokens come after `now_s`."""
    complete = [record for record in found if record.completed]
    ttfts_s = [record.first_token_s - record.sent_s for record in complete if record.first_token_s]
    tpots_s = [
        (record.last_token_s - record.first_token_s) / (record.output_tokens - 1)
        for record in complete
        if record.first_token_s and record.last_token_s and record.output_tokens > 1
    ]
    tpot_s = min(tpots_s, default=0.0)
    left = [r for r in complete if r.finished_s > now_s]
    num_left = sum(r.output_tokens - tokens_at(now_s, r) for r in left)
    rate = num_left / (max(r.finished_s for r in left) - now_s) if left else math.inf
    return Fastest(min(ttfts_s, default=0.0), tpot_s, tpot_s, rate)


def require_bounds(bounds: dict[str, float], metrics: dict[str, float]) -> None:
    for metric, bound in bounds.items():
        if metric not in metrics:
            continue
        if metric in RATES:
            assert metrics[metric] <= bound * (1 + 1e-9), metric
        else:
            assert metrics[metric] >= bound * (1 - 1e-9) - 1e-12, metric


@given(
    found=records(),
    now_s=st.floats(0, 300),
    max_failed_share=st.sampled_from([0.0, 0.01, 0.1, 0.6, 0.99]),
    share=st.sampled_from([1.0, 0.5, 0.25]),
    knows_fastest=st.booleans(),
)
def test_no_metric_of_the_whole_load_beats_its_bound(
    found: list[RequestRecord],
    now_s: float,
    max_failed_share: float,
    share: float,
    knows_fastest: bool,
) -> None:
    bounds_s = {"ttft": 1.0, "tpot": 0.1, "itl": 0.2}
    options: dict[str, Any] = {"share": share, "bounds_s": bounds_s}
    bounds = best_possible(
        seen_at(now_s, found),
        max_failed_share=max_failed_share,
        fastest=fastest_of(found, now_s) if knows_fastest else NOTHING_KNOWN,
        **options,
    )
    num_failed = sum(not record.completed for record in found)
    if num_failed <= max_failed_share * len(found):
        require_bounds(bounds, summarize(found, **options))


@given(found=records(), times_s=st.lists(st.floats(0, 300), min_size=2, max_size=2))
def test_bounds_only_get_tighter(found: list[RequestRecord], times_s: list[float]) -> None:
    now_s, later_s = sorted(times_s)
    fastest = fastest_of(found)
    early = best_possible(seen_at(now_s, found), max_failed_share=0.0, fastest=fastest)
    late = best_possible(seen_at(later_s, found), max_failed_share=0.0, fastest=fastest)
    require_bounds(early, late)


@given(found=records())
def test_at_the_end_the_bounds_are_the_metrics(found: list[RequestRecord]) -> None:
    complete = [record for record in found if record.completed]
    if not complete:
        return
    bounds = best_possible(seen_at(1e6, complete), max_failed_share=0.0)
    metrics = summarize(complete)
    assert bounds.keys() >= {"ttft_mean_s", "latency_p99_s", "throughput_rps", "goodput_rps"}
    for metric, bound in bounds.items():
        assert np.isclose(bound, metrics[metric], rtol=1e-9, atol=1e-12), metric


values = st.floats(0.1, 2.0).map(lambda value: round(value, 1))


@given(
    points=st.lists(st.tuples(values, values), min_size=1, max_size=8),
    bound=st.tuples(values, values),
    worse=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    objectives=st.sampled_from([INTERACTIVE, INTERACTIVE[:1], OFFLINE]),
    limit=st.sampled_from([(), (Limit("ttft_mean_s", 0.5),), (Limit("tpot_mean_s", 1.2),)]),
    num_finalists=st.integers(1, 3),
)
def test_what_misses_the_bar_is_no_finalist(
    points: list[tuple[float, float]],
    bound: tuple[float, float],
    worse: tuple[float, float],
    objectives: tuple[Objective, ...],
    limit: tuple[Limit, ...],
    num_finalists: int,
) -> None:
    history = [trial(number, *point) for number, point in enumerate(points)]
    bar = bar_to_reach(history, objectives, limit, num_finalists)
    assert Bar.from_json(bar.to_json()) == bar
    if not bar.miss(trial(99, *bound).metrics, objectives, limit):
        return
    whole = trial(99, bound[0] + worse[0], bound[1] + worse[1])
    best = finalists([*history, whole], objectives, limit, num_finalists)
    assert whole not in best


def trial(number: int, ttft_s: float, tpot_s: float) -> TrialRecord:
    metrics = {"ttft_mean_s": ttft_s, "tpot_mean_s": tpot_s, "throughput_rps": 1 / tpot_s}
    role = Role.SEARCH if number else Role.DEFAULT
    return TrialRecord(number, {"x": number}, TrialState.COMPLETE, metrics, role=role)
