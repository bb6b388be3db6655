"""A trace in numbers, against traces of which the numbers are known."""

import numpy as np
import pytest

from scoot_ray.core.request import Request
from traces.prefix_sharing import shared_prompt_tokens
from traces.schema import Trace
from traces.summary import doubling_histogram, summarize


def make_trace(*requests: Request) -> Trace:
    return Trace(requests, "test", "", "s", "test")


def prompt(tokens: int, *hashes: int, block_tokens: int = 10, arrival_s: float = 0.0) -> Request:
    return Request(arrival_s, tokens, 1, None, hashes, block_tokens)


def test_blocks_are_shared_only_after_the_same_blocks() -> None:
    first = prompt(40, 1, 2, 3, 4)
    assert shared_prompt_tokens([first, prompt(40, 1, 2, 5, 4)]) == 20
    assert shared_prompt_tokens([first, prompt(40, 2, 3, 4, 1)]) == 0
    assert shared_prompt_tokens([first, first, first]) == 80


def test_a_partial_last_block_counts_its_tokens_only() -> None:
    assert shared_prompt_tokens([prompt(25, 1, 2, 3), prompt(25, 1, 2, 3)]) == 25


def test_block_sizes_do_not_mix() -> None:
    assert shared_prompt_tokens([prompt(20, 1, 2), prompt(40, 1, 2, block_tokens=20)]) == 0


def test_even_arrivals_have_no_burstiness_and_poisson_has_one() -> None:
    even = make_trace(*(Request(float(s), 1, 1) for s in range(100)))
    assert summarize(even).gap_cv == pytest.approx(0.0)
    assert summarize(even).peak_rate_rps == pytest.approx(100 / 99, rel=0.2)
    times = np.cumsum(np.random.default_rng(0).exponential(1.0, 5000))
    poisson = make_trace(*(Request(float(s), 1, 1) for s in times))
    assert summarize(poisson).gap_cv == pytest.approx(1.0, abs=0.05)
    assert sum(summarize(poisson).arrivals_per_slot) == 5000


def test_what_is_not_known_is_not_made_up() -> None:
    summary = summarize(make_trace(Request(0.0, 5, 1)))
    assert (summary.gap_cv, summary.prefix_share, summary.num_sessions) == (None, None, None)
    assert summary.arrivals_per_slot == ()
    assert summary.prompt_tokens["p99"] == 5


def test_the_histogram_doubles_and_holds_every_value() -> None:
    assert doubling_histogram([1, 2, 3, 8]) == [(1, 1, 1), (2, 3, 2), (4, 7, 0), (8, 15, 1)]
