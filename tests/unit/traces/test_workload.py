"""The load of a stress test: what is dropped and selected, and when requests arrive."""

from typing import Any

import numpy as np
import pytest

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request
from scoot_ray.core.sections import WorkloadSection
from traces.prefix_sharing import shared_prompt_tokens
from traces.schema import Trace
from traces.selection import select
from traces.workload import Load, make_load


def make_trace(arrivals: list[float], tokens: list[int]) -> Trace:
    requests = tuple(
        Request(a, t, 1, prefix_hashes=(t,), block_tokens=1)
        for a, t in zip(arrivals, tokens, strict=True)
    )
    return Trace(requests, "test", "", "s", "test")


def regular(num_requests: int, gap_s: float = 1.0) -> Trace:
    return make_trace([gap_s * i for i in range(num_requests)], list(range(1, num_requests + 1)))


def load(trace: Trace, *, share: float = 1.0, seed: int = 0, **workload: Any) -> Load:
    section = WorkloadSection.model_validate(
        {"trace": "test", "request_rate_rps": 10, "select": "all"} | workload
    )
    return make_load(trace, section, share=share, max_model_len=4096, seed=seed)


def test_requests_that_are_too_long_are_dropped_and_counted() -> None:
    trace = make_trace([0, 1, 2], [10, 4095, 4096])
    made = load(trace)
    assert made.num_too_long == 1
    assert max(r.prompt_tokens for r in made.requests) == 4095


def test_when_none_fits_the_error_says_what_would_be_needed() -> None:
    with pytest.raises(TraceError, match="smallest needs max_model_len=5001"):
        load(make_trace([0, 1], [5000, 6000]))


def test_the_heaviest_half_is_selected() -> None:
    requests = make_trace([0, 1, 2, 3, 4], [5, 1, 9, 5, 2]).requests
    assert [r.prompt_tokens for r in select(requests, "heaviest_half")] == [5, 9, 5]
    assert select(requests, "all") == requests
    made = load(regular(100), select="heaviest_half")
    assert min(r.prompt_tokens for r in (*made.requests, *made.warmup)) == 51


def test_a_poisson_load_takes_every_request_before_any_twice() -> None:
    made = load(regular(300), duration_s=100)
    first, second = made.requests[:300], made.requests[300:600]
    assert sorted(r.prompt_tokens for r in first) == list(range(1, 301))
    assert len({r.prompt_tokens for r in second}) == 300
    assert [r.prompt_tokens for r in first] != [r.prompt_tokens for r in second]
    assert all(r.prefix_hashes == (r.prompt_tokens,) for r in first)


def test_warmup_requests_come_from_the_selection_and_arrive_at_once() -> None:
    made = load(regular(10), warmup_requests=7)
    assert len(made.warmup) == 7
    assert all(r.arrival_s == 0 for r in made.warmup)
    assert load(regular(10), warmup_requests=0).warmup == ()


def test_trace_arrivals_are_scaled_to_the_rate() -> None:
    made = load(regular(1000), arrivals="trace", duration_s=20)
    assert len(made.requests) == pytest.approx(200, abs=1)
    gaps = np.diff([r.arrival_s for r in made.requests])
    assert gaps == pytest.approx(np.full(len(gaps), 0.1))


def test_trace_arrivals_keep_the_order_and_choose_a_window_by_the_seed() -> None:
    firsts = set()
    for seed in range(10):
        made = load(regular(1000), arrivals="trace", duration_s=20, seed=seed)
        tokens = [r.prompt_tokens for r in made.requests]
        assert tokens == sorted(tokens)
        firsts.add(tokens[0])
    assert len(firsts) > 5


def test_a_short_trace_starts_over() -> None:
    made = load(regular(50), arrivals="trace", duration_s=20)
    assert [r.prompt_tokens for r in made.requests] == list(range(1, 51)) * 4


@pytest.mark.parametrize("arrivals", ["poisson", "trace"])
def test_a_load_shares_no_more_than_its_trace_however_often_that_starts_over(arrivals: str) -> None:
    # Every second prompt carries on the one before, so half of all tokens but the last are shared.
    requests = tuple(
        Request(float(i), 32 + 32 * (i % 2), 1, None, (i // 2, i)[: 1 + i % 2], 32)
        for i in range(100)
    )
    trace = Trace(requests, "pairs", "", "s", "pairs")
    section: dict[str, Any] = {"arrivals": arrivals, "select": "all", "duration_s": 100.0}
    shares = []
    for rate_rps in (1.0, 20.0):
        made = load(trace, request_rate_rps=rate_rps, **section).requests
        tokens = sum(request.prompt_tokens for request in made)
        shares.append(shared_prompt_tokens(made) / tokens)
    assert shares[0] > 0.1
    assert shares[1] == pytest.approx(shares[0], abs=0.15)


def test_a_window_in_a_lull_still_sends_a_request() -> None:
    trace = make_trace([0.0, 1.0, 1000.0], [1, 2, 3])
    for seed in range(20):
        made = load(trace, arrivals="trace", request_rate_rps=0.001, duration_s=1, seed=seed)
        assert len(made.requests) >= 1


def test_a_single_request_can_be_replayed_at_its_own_time() -> None:
    made = load(make_trace([0.0], [5]), arrivals="trace", duration_s=1)
    assert len(made.requests) == 10


def test_trace_arrivals_need_a_trace_that_has_them() -> None:
    with pytest.raises(TraceError, match="arrivals: poisson"):
        load(make_trace([3.0, 3.0], [1, 2]), arrivals="trace")


def test_at_least_one_request_is_sent() -> None:
    for arrivals in ("poisson", "trace"):
        made = load(regular(5), arrivals=arrivals, request_rate_rps=0.001, duration_s=1, share=0.01)
        assert len(made.requests) == 1
