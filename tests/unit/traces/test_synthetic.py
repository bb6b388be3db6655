"""The synthetic workloads: lengths, shared prefixes, growing sessions, determinism."""

from itertools import groupby, pairwise

import numpy as np
import pytest

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request
from traces import load_trace
from traces.synthetic import APPLICATIONS, BLOCK_TOKENS, MAX_TOTAL_TOKENS


def lengths(name: str) -> tuple[float, float]:
    requests = load_trace(f"synthetic:{name}").requests
    prompt = float(np.median([r.prompt_tokens for r in requests]))
    return prompt, float(np.median([r.output_tokens for r in requests]))


@pytest.mark.parametrize("name", list(APPLICATIONS))
def test_every_request_fits_and_names_only_full_blocks(name: str) -> None:
    trace = load_trace(f"synthetic:{name}")
    assert len(trace.requests) == 2000
    assert trace.time_unit == "none"
    for request in trace.requests:
        assert request.total_tokens <= MAX_TOTAL_TOKENS
        assert len(request.prefix_hashes) * BLOCK_TOKENS <= request.prompt_tokens
    assert trace.rate_rps == pytest.approx(1.0, rel=0.1)


def test_applications_differ_as_described() -> None:
    sql, bot, cls, rec = (lengths(name) for name in ("sql", "bot", "cls", "rec"))
    assert rec[0] > sql[0] > bot[0] > cls[0]
    assert bot[1] > sql[1] > rec[1] > cls[1]


@pytest.mark.parametrize("name", ["sql", "cls", "rec"])
def test_prompts_of_one_application_share_prefixes(name: str) -> None:
    requests = load_trace(f"synthetic:{name}").requests
    num_prefixes = len({r.prefix_hashes for r in requests})
    assert num_prefixes == APPLICATIONS[name].num_prefixes


def test_a_chat_s_prompt_repeats_its_history() -> None:
    requests = load_trace("synthetic:bot").requests

    def session(request: Request) -> str:
        return request.session or ""

    num_turns = []
    for _, group in groupby(sorted(requests, key=session), key=session):
        turns = list(group)
        num_turns.append(len(turns))
        for earlier, later in pairwise(turns):
            assert later.arrival_s >= earlier.arrival_s
            assert later.prompt_tokens > earlier.total_tokens
            shared = earlier.prompt_tokens // BLOCK_TOKENS
            assert later.prefix_hashes[:shared] == earlier.prefix_hashes
    assert np.mean(num_turns) > 2


def test_two_chats_share_the_system_prompt_and_nothing_else() -> None:
    requests = load_trace("synthetic:bot?num_requests=300").requests
    first, other = requests[0], next(r for r in requests if r.session != requests[0].session)
    shared = set(first.prefix_hashes) & set(other.prefix_hashes)
    assert shared == set(first.prefix_hashes[: len(shared)])
    assert len(shared) * BLOCK_TOKENS <= APPLICATIONS["bot"].prefix.high


def test_a_trace_is_a_function_of_its_uri() -> None:
    first, again = load_trace("synthetic:sql?seed=1"), load_trace("synthetic:sql?seed=1")
    other = load_trace("synthetic:sql?seed=2")
    assert first == again
    assert first.requests != other.requests
    assert first.sha256 != other.sha256
    assert load_trace("synthetic:sql").sha256 == load_trace("synthetic:sql?seed=0").sha256


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("synthetic:chat", "expected one of synthetic:sql"),
        ("synthetic:sql?num_requests=0", "at least 1"),
        ("synthetic:sql?seed=-1", "seed=-1: expected"),
        ("synthetic:sql?rate=3", "rate=3: expected"),
    ],
)
def test_errors(uri: str, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        load_trace(uri)
