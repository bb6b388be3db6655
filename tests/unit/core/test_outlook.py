"""What the metrics of a load that goes on will probably be."""

import pytest

from scoot_ray.core.outlook import outlook
from scoot_ray.core.partial_load import InFlight, PartialLoad
from scoot_ray.core.request import Request, RequestRecord

NUM = 100
TOKENS = 5


def load_at(now_s: float, wait_s: float, pace_s: float) -> PartialLoad:
    """Return a load of a request a second, each of which waits `wait_s` longer than the last."""
    load = PartialLoad([Request(float(i), 10, TOKENS) for i in range(NUM)])
    in_flight = []
    for i in range(NUM):
        first_s = i + 1.0 + i * wait_s
        last_s = first_s + (TOKENS - 1) * pace_s
        if last_s <= now_s:
            load.end(i, RequestRecord(float(i), float(i), first_s, last_s, last_s, 10, TOKENS))
        elif i <= now_s:
            in_flight.append(InFlight(i, float(i), first_s if first_s <= now_s else None))
    load.observe(now_s, in_flight)
    return load


def test_before_the_first_token_the_ttft_is_what_was_waited() -> None:
    load = load_at(0.5, 0.0, 0.1)
    load.observe(3.0, [InFlight(i, float(i), None) for i in range(3)])
    guess = outlook(load)
    assert guess.keys() == {f"ttft_{s}_s" for s in ("mean", "p50", "p90", "p95", "p99")}
    assert guess["ttft_mean_s"] == pytest.approx((3 + 2 + 1) / NUM)


@pytest.mark.parametrize("now_s", [20.0, 60.0, 90.0])
@pytest.mark.parametrize("wait_s", [0.0, 0.2, 1.0])
def test_a_steady_load_is_foretold(now_s: float, wait_s: float) -> None:
    guess = outlook(load_at(now_s, wait_s, 0.1))
    whole = outlook(load_at(300.0, wait_s, 0.1))
    for metric in ("ttft_mean_s", "ttft_p99_s", "tpot_mean_s", "latency_p95_s"):
        assert guess[metric] == pytest.approx(whole[metric]), metric
    assert guess["throughput_rps"] == pytest.approx(whole["throughput_rps"], rel=0.1)


def test_a_queue_that_shrinks_is_not_extended_below_what_it_was() -> None:
    guess = outlook(load_at(50.0, -0.01, 0.1))
    assert guess["ttft_mean_s"] > outlook(load_at(1000.0, -0.01, 0.1))["ttft_mean_s"]


def test_what_waits_is_not_better_than_it_has_been() -> None:
    load = load_at(20.0, 0.0, 0.1)
    load.observe(40.0, [InFlight(i, float(i), None) for i in range(20, 41)])
    assert outlook(load)["ttft_p95_s"] > 15.0


def test_rates_are_those_of_the_whole_service() -> None:
    load = load_at(50.0, 0.5, 0.1)
    whole, half = outlook(load), outlook(load, share=0.5)
    for metric in ("throughput_rps", "output_tokens_per_s"):
        assert half[metric] == pytest.approx(2 * whole[metric])
    assert whole["output_tokens_per_s"] == pytest.approx(TOKENS * whole["throughput_rps"])
    assert half["ttft_mean_s"] == whole["ttft_mean_s"]


def test_goodput_counts_what_will_probably_meet_the_bounds() -> None:
    # TTFT is 1 + i / 2 seconds: at most 11 for the first 21 of 100.
    guess = outlook(load_at(50.0, 0.5, 0.1), bounds_s={"ttft": 11.0})
    assert guess["goodput_rps"] == pytest.approx(0.21 * guess["throughput_rps"])


def test_failures_are_left_out() -> None:
    load = load_at(50.0, 0.0, 0.1)
    load.end(0, RequestRecord(0.0, 0.0, None, None, 30.0, 10, TOKENS, error="timeout"))
    assert outlook(load)["ttft_p99_s"] == pytest.approx(1.0)


def test_before_the_first_end_the_tokens_so_far_tell_the_pace() -> None:
    load = PartialLoad([Request(float(i), 10, 101) for i in range(10)])
    load.observe(5.0, [InFlight(i, float(i), i + 0.5, 1 + 2 * (5 - i)) for i in range(5)])
    guess = outlook(load)
    # Between 0.5 s and 4.5 s for 2 to 10 gaps.
    assert guess["tpot_mean_s"] == pytest.approx(sum(0.5 + i for i in range(5)) / 30, rel=0.01)
    assert guess["latency_mean_s"] == pytest.approx(guess["tpot_mean_s"] * 100 + 0.5, rel=0.01)


def test_while_nothing_tells_the_pace_only_the_ttft_is_guessed() -> None:
    load = PartialLoad([Request(float(i), 10, 101) for i in range(10)])
    load.observe(5.0, [InFlight(i, float(i), i + 0.5) for i in range(5)])
    assert outlook(load).keys() == {f"ttft_{s}_s" for s in ("mean", "p50", "p90", "p95", "p99")}
