"""What an engine can do at best, from the answers so far."""

import math

import pytest

from scoot_ray.core.fastest import (
    LAST_MARGIN,
    LEAST_ANSWERS,
    MARGIN,
    MOST_SPEEDUP,
    NOTHING_KNOWN,
    Fastest,
)
from scoot_ray.core.partial_load import InFlight, PartialLoad
from scoot_ray.core.request import Request, RequestRecord


def load_after(num_answers: int) -> PartialLoad:
    """Return a load of 100 requests, a second apart; answer i takes (1 + i) / 10 s a token."""
    load = PartialLoad([Request(float(i), 10, 5) for i in range(100)])
    for i in range(num_answers):
        first_s = i + 2.0 - i / 100
        last_s = first_s + 4 * (1 + i) / 10
        load.end(i, RequestRecord(float(i), float(i), first_s, last_s, last_s, 10, 5))
    return load


def test_of_few_answers_nothing_is_concluded() -> None:
    assert Fastest.of(load_after(LEAST_ANSWERS - 1)) == NOTHING_KNOWN


def test_the_fastest_answers_less_a_margin() -> None:
    fastest = Fastest.of(load_after(40))
    assert fastest.tpot_s == pytest.approx(MARGIN * 0.1)
    assert fastest.gap_s == pytest.approx(LAST_MARGIN * 0.1)
    assert fastest.ttft_s == pytest.approx(MARGIN * (2.0 - 0.39))


def test_single_tokens_tell_nothing_of_the_pace() -> None:
    load = PartialLoad([Request(0.0, 10, 1)] * 50)
    for i in range(50):
        load.end(i, RequestRecord(0.0, 0.0, 0.1, 0.1, 0.1, 10, 1))
    fastest = Fastest.of(load)
    assert fastest.ttft_s == pytest.approx(MARGIN * 0.1)
    assert (fastest.tpot_s, fastest.gap_s) == (0.0, 0.0)


def test_failures_tell_nothing() -> None:
    load = PartialLoad([Request(0.0, 10, 5)] * 50)
    for i in range(50):
        load.end(i, RequestRecord(0.0, 0.0, 0.1, 0.2, 0.2, 10, 5, error="timeout"))
    assert Fastest.of(load) == NOTHING_KNOWN


def test_answers_that_go_on_tell_nothing_of_the_pace() -> None:
    load = PartialLoad([Request(0.0, 10, 50)] * 50)
    load.observe(3.0, [InFlight(i, 0.0, 1.0, 40) for i in range(LEAST_ANSWERS)])
    fastest = Fastest.of(load)
    assert fastest.ttft_s == pytest.approx(MARGIN * 1.0)
    assert (fastest.tpot_s, fastest.gap_s) == (0.0, 0.0)


def test_tokens_of_all_answers_once_everything_is_sent() -> None:
    load = PartialLoad([Request(float(i), 10, 1000) for i in range(41)])
    going_on = [InFlight(i, float(i), 10.0, 10 * i) for i in range(40)]
    load.observe(39.0, going_on)
    assert Fastest.of(load).tokens_per_s == math.inf
    load.observe(50.0, going_on)
    # 7,800 tokens in the 40 s since the first ones, evenly.
    assert Fastest.of(load).tokens_per_s == pytest.approx(MOST_SPEEDUP * 7800 / 40.0)
    load.observe(50.0, [*going_on, InFlight(40, 40.0, 49.0, None)])
    assert Fastest.of(load).tokens_per_s == math.inf


def test_of_no_request_nothing_is_concluded() -> None:
    assert Fastest.of(PartialLoad([])) == NOTHING_KNOWN
