"""What holds for any trace and any load, and for files of any content."""

import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoot_ray.core.errors import TraceError
from scoot_ray.core.request import Request
from scoot_ray.core.sections import WorkloadSection
from traces import load_trace
from traces.schema import Trace
from traces.scoot_jsonl import dump_trace
from traces.workload import make_load

Arrivals = Literal["poisson", "trace"]


@st.composite
def traces(draw: st.DrawFn, min_size: int = 1) -> Trace:
    gaps = draw(st.lists(st.floats(0.0, 100.0), min_size=min_size, max_size=60))
    arrivals = np.cumsum([0.0, *gaps])
    lengths = st.integers(1, 3000)
    requests = tuple(Request(float(a), draw(lengths), draw(lengths)) for a in arrivals)
    return Trace(requests, "drawn", "", "s", "drawn")


@st.composite
def workloads(draw: st.DrawFn, arrivals: Arrivals) -> WorkloadSection:
    return WorkloadSection(
        trace="drawn",
        arrivals=arrivals,
        select=draw(st.sampled_from(["heaviest_half", "all"])),
        request_rate_rps=draw(st.floats(0.01, 50.0)),
        duration_s=draw(st.floats(0.5, 20.0)),
        warmup_requests=draw(st.integers(0, 5)),
    )


@given(
    trace=traces(),
    workload=st.one_of(workloads("poisson"), workloads("trace")),
    share=st.floats(0.05, 1.0),
    seed=st.integers(0, 2**32),
)
def test_a_load_is_sorted_within_the_duration_and_repeatable(
    trace: Trace, workload: WorkloadSection, share: float, seed: int
) -> None:
    try:
        load = make_load(trace, workload, share=share, max_model_len=6000, seed=seed)
    except TraceError:
        assert workload.arrivals == "trace"
        return
    arrivals = [r.arrival_s for r in load.requests]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] >= 0.0
    assert arrivals[-1] <= workload.duration_s
    assert len(load.warmup) == workload.warmup_requests
    lengths = {(r.prompt_tokens, r.output_tokens) for r in trace.requests}
    assert {(r.prompt_tokens, r.output_tokens) for r in load.requests} <= lengths
    assert load == make_load(trace, workload, share=share, max_model_len=6000, seed=seed)


def make_irregular_trace() -> Trace:
    times = np.cumsum(np.random.default_rng(7).exponential(1.0, 2000))
    requests = tuple(Request(float(t), int(i) + 1, 1) for i, t in enumerate(times))
    return Trace(requests, "irregular", "", "s", "irregular")


@pytest.mark.parametrize("arrivals", ["poisson", "trace"])
@pytest.mark.parametrize("share", [1.0, 0.25])
def test_the_mean_rate_is_the_asked_one_times_the_share(arrivals: Arrivals, share: float) -> None:
    workload = WorkloadSection(
        trace="x", arrivals=arrivals, request_rate_rps=20, duration_s=50, select="all"
    )
    trace = make_irregular_trace()
    counts = [
        len(make_load(trace, workload, share=share, max_model_len=4096, seed=seed).requests)
        for seed in range(200)
    ]
    # Of 1,000 arrivals each is kept with chance `share`: the mean of 200 counts is within 0.4 %.
    assert np.mean(counts) == pytest.approx(1000 * share, rel=0.02)


@given(
    trace=traces(),
    workload=workloads("poisson"),
    share=st.floats(0.05, 1.0),
    seeds=st.tuples(st.integers(0, 2**32), st.integers(0, 2**32)),
)
def test_poisson_loads_carry_the_same_whatever_the_seed(
    trace: Trace, workload: WorkloadSection, share: float, seeds: tuple[int, int]
) -> None:
    """Systematic sampling: shifted by a place, each drawn one is at most as large as the next."""
    first, second = (
        make_load(trace, workload, share=share, max_model_len=6000, seed=seed).requests
        for seed in seeds
    )
    expected = workload.request_rate_rps * workload.duration_s * share
    assert len(first) == len(second) == max(1, round(expected))
    tokens = [sorted(r.total_tokens for r in load) for load in (first, second)]
    spread = max(r.total_tokens for r in trace.requests) - min(
        r.total_tokens for r in trace.requests
    )
    assert abs(sum(tokens[0]) - sum(tokens[1])) <= spread


def test_every_request_of_a_trace_has_its_chance_in_a_poisson_load() -> None:
    workload = WorkloadSection(trace="x", request_rate_rps=7, duration_s=100, select="all")
    trace = make_irregular_trace()
    taken = np.zeros(len(trace.requests))
    for seed in range(400):
        load = make_load(trace, workload, share=1.0, max_model_len=4096, seed=seed)
        chosen = [r.prompt_tokens - 1 for r in load.requests]
        assert len(set(chosen)) == len(chosen)
        taken[chosen] += 1
    # 700 of 2,000 are 35 %; the share of one request has a deviation of 2.4 % over 400 loads.
    assert taken.mean() / 400 == pytest.approx(0.35)
    assert taken.min() / 400 > 0.2
    assert taken.max() / 400 < 0.55


def test_poisson_gaps_are_exponential_and_seeds_differ() -> None:
    workload = WorkloadSection(trace="x", request_rate_rps=50, duration_s=200)
    loads = [
        make_load(make_irregular_trace(), workload, share=1.0, max_model_len=4096, seed=seed)
        for seed in (0, 1)
    ]
    gaps = np.diff([r.arrival_s for r in loads[0].requests])
    assert gaps.mean() == pytest.approx(0.02, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert loads[0].requests != loads[1].requests


def test_thinning_is_independent_of_what_a_request_is() -> None:
    workload = WorkloadSection(
        trace="x", arrivals="trace", request_rate_rps=20, duration_s=100, select="all"
    )
    trace = make_irregular_trace()
    kept = np.zeros(len(trace.requests))
    for seed in range(200):
        load = make_load(trace, workload, share=0.25, max_model_len=4096, seed=seed)
        kept[[r.prompt_tokens - 1 for r in load.requests]] += 1
    assert kept.mean() / 200 == pytest.approx(0.25, rel=0.02)
    assert np.corrcoef(kept, np.arange(len(kept)))[0, 1] == pytest.approx(0.0, abs=0.1)


@given(trace=traces())
def test_our_own_format_round_trips(trace: Trace) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.jsonl"
        path.write_text(dump_trace(trace), encoding="utf-8")
        assert load_trace(str(path)).requests == trace.requests


HEADERS = (
    "TIMESTAMP,ContextTokens,GeneratedTokens",
    "arrived_at,num_prefill_tokens,num_decode_tokens",
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
    '{"format": "scoot-trace", "version": 1, "unit": "s"}',
    '{"timestamp": 0, "input_length": 3, "output_length": 2, "hash_ids": [1]}',
    '{"chat_id": 1, "parent_chat_id": -1, "timestamp": 0, "input_length": 3, '
    '"output_length": 2, "hash_ids": [1]}',
    "",
)


@settings(max_examples=300)
@given(
    header=st.sampled_from(HEADERS),
    body=st.lists(
        st.one_of(
            st.text(string.digits + ',.-:" {}[]e\\n', max_size=30),
            st.text(max_size=20),
            st.sampled_from(
                [
                    "1,2,3",
                    "2023-11-16 18:15:46.6805900,1,2",
                    "0001-01-01 00:00:00+23:59,1,2",
                    '{"timestamp": 1e999, "input_length": 1, "output_length": 1, "hash_ids": []}',
                    '{"arrival": 0, "prompt_tokens": 1, "output_tokens": 1e300}',
                ]
            ),
        ),
        max_size=5,
    ),
)
def test_whatever_a_file_holds_it_is_a_trace_or_a_trace_error(header: str, body: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace"
        path.write_bytes("\n".join([header, *body]).encode("utf-8", "surrogatepass"))
        try:
            trace = load_trace(str(path))
        except TraceError:
            return
        assert trace.requests[0].arrival_s == 0.0


@given(content=st.binary(max_size=200))
def test_whatever_bytes_a_file_holds_the_error_is_ours(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace"
        path.write_bytes(content)
        with pytest.raises(TraceError):
            load_trace(str(path))
