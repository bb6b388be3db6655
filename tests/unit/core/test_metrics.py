"""From request records to metrics, against numbers worked out by hand."""

from typing import Any

import pytest

from scoot_ray.core.errors import StudyError, TraceError
from scoot_ray.core.metrics import METRICS, direction_of, quantity_of, summarize
from scoot_ray.core.request import Request, RequestRecord


def done(sent_s: float = 0.0, **changes: Any) -> RequestRecord:
    """Make a request of 10 + 5 tokens: first token after 1 s, last after 3 s."""
    values: dict[str, Any] = {
        "due_s": sent_s,
        "sent_s": sent_s,
        "first_token_s": sent_s + 1.0,
        "last_token_s": sent_s + 3.0,
        "finished_s": sent_s + 3.0,
        "prompt_tokens": 10,
        "output_tokens": 5,
        "token_gaps_s": (0.4, 0.6, 0.5, 0.5),
    }
    return RequestRecord(**(values | changes))


def failed(finished_s: float = 9.0) -> RequestRecord:
    return RequestRecord(0.0, 0.0, None, None, finished_s, 10, 0, error="timed out")


def test_times_of_one_request() -> None:
    metrics = summarize([done()])
    assert metrics["ttft_mean_s"] == 1.0
    assert metrics["tpot_p99_s"] == 0.5
    assert metrics["latency_p50_s"] == 3.0
    assert metrics["itl_mean_s"] == pytest.approx(0.5)
    assert set(METRICS) <= set(metrics)


def test_rates_count_to_the_last_completion() -> None:
    metrics = summarize([done(0.0), done(7.0), failed(finished_s=99.0)])
    assert metrics["throughput_rps"] == pytest.approx(2 / 10)
    assert metrics["output_tokens_per_s"] == pytest.approx(1.0)
    assert metrics["total_tokens_per_s"] == pytest.approx(3.0)
    assert (metrics["num_requests"], metrics["num_completed"], metrics["num_failed"]) == (3, 2, 1)


def test_a_quarter_of_the_gpus_counts_four_times_in_rates_only() -> None:
    whole, quarter = summarize([done()]), summarize([done()], share=0.25)
    assert quarter["throughput_rps"] == pytest.approx(4 * whole["throughput_rps"])
    assert quarter["goodput_rps"] == pytest.approx(4 * whole["goodput_rps"])
    assert quarter["ttft_mean_s"] == whole["ttft_mean_s"]


@pytest.mark.parametrize(
    ("bounds", "share_that_is_good"),
    [
        ({}, 1.0),
        ({"ttft": 1.0}, 1.0),
        ({"ttft": 0.9}, 0.0),
        ({"tpot": 0.4}, 0.5),
        ({"itl": 0.55}, 0.5),
        ({"latency": 2.0}, 0.5),
    ],
)
def test_goodput_counts_requests_that_meet_every_bound(
    bounds: dict[str, float], share_that_is_good: float
) -> None:
    single = done(first_token_s=1.0, last_token_s=1.0, output_tokens=1, token_gaps_s=())
    metrics = summarize([done(), single], bounds_s=bounds)
    assert metrics["goodput_rps"] == pytest.approx(share_that_is_good * metrics["throughput_rps"])


def test_one_token_answers_have_no_tpot() -> None:
    single = done(last_token_s=1.0, output_tokens=1, token_gaps_s=())
    metrics = summarize([single])
    assert "tpot_mean_s" not in metrics
    assert "itl_mean_s" not in metrics
    assert metrics["latency_mean_s"] == 1.0


def test_the_lag_of_the_client_counts_failed_requests_too() -> None:
    late = done(due_s=-1.0, sent_s=0.0)
    assert summarize([late])["schedule_lag_p99_s"] == 1.0
    assert summarize([failed()])["schedule_lag_p99_s"] == 0.0


def test_when_nothing_completed_there_are_only_counts() -> None:
    metrics = summarize([failed(), failed()])
    assert metrics["num_completed"] == 0
    assert not set(METRICS) & set(metrics)


def test_no_request_at_all_is_the_study_s_fault() -> None:
    with pytest.raises(StudyError, match="request_rate_rps"):
        summarize([])


def test_names_say_direction_and_quantity() -> None:
    assert direction_of("goodput_rps") == "max"
    assert direction_of("itl_p99_s") == "min"
    assert quantity_of("itl_p99_s") == "itl"
    assert quantity_of("output_tokens_per_s") is None


@pytest.mark.parametrize(
    ("arrival_s", "prompt", "output"), [(-1.0, 1, 1), (float("nan"), 1, 1), (0.0, 0, 1), (0, 1, 0)]
)
def test_impossible_requests_are_refused(arrival_s: float, prompt: int, output: int) -> None:
    with pytest.raises(TraceError):
        Request(arrival_s, prompt, output)


def test_prefix_hashes_need_their_block_size() -> None:
    with pytest.raises(TraceError, match="block_tokens"):
        Request(0.0, 1, 1, prefix_hashes=(1,))
