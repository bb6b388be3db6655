"""What an engine can do at best, from the answers so far."""

import pytest

from scoot_ray.core.fastest import LAST_MARGIN, LEAST_ANSWERS, MARGIN, NOTHING_KNOWN, Fastest
from scoot_ray.core.partial_load import PartialLoad
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


def test_failures_and_single_tokens_tell_nothing() -> None:
    load = PartialLoad([Request(0.0, 10, 1)] * 50)
    for i in range(50):
        load.end(i, RequestRecord(0.0, 0.0, 0.1, 0.1, 0.1, 10, 1))
    assert Fastest.of(load) == NOTHING_KNOWN
