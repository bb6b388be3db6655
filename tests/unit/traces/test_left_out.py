"""Bad rows are counted with their lines; what is too bad to be an accident is an error."""

import gzip
from pathlib import Path

import pytest

from scoot_ray.core.errors import TraceError
from tests.unit.traces.files import Write, mooncake
from traces import load_trace

HEADER = "arrived_at,num_prefill_tokens,num_decode_tokens"
GOOD = [f"{second},100,10" for second in range(100)]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("100,-1,10", "line 102: expected a whole number of tokens, got '-1'"),
        ("100,nan,10", "line 102: expected a finite number, got 'nan'"),
        ("inf,1,10", "line 102: expected a finite number, got 'inf'"),
        ("100,10000001,10", "line 102: expected at most 10,000,000 tokens, got '10000001'"),
        ("100,1e400,10", "line 102: expected a finite number, got '1e400'"),
        ("1e13,1,10", "line 102: time 1e+13 s is beyond the year 5000; check the unit"),
        ("100", "line 102: 'num_prefill_tokens' is missing"),
        ("100,,10", "line 102: expected a number, got ''"),
    ],
)
def test_an_absurd_row_is_left_out_and_named(write: Write, row: str, problem: str) -> None:
    trace = load_trace(write(HEADER, *GOOD, row))
    assert len(trace.requests) == 100
    assert [str(group) for group in trace.left_out] == [f"1 malformed: {problem}"]


def test_a_file_cut_in_its_last_line_is_read(write: Write) -> None:
    trace = load_trace(write(*[mooncake(1000 * n) for n in range(20)], '{"timestamp": 20'))
    assert len(trace.requests) == 20
    assert trace.left_out[0].examples[0].startswith("line 21: not JSON")


def test_many_malformed_rows_are_an_error_that_names_the_first_five(write: Write) -> None:
    path = write(HEADER, *GOOD, *["x,1,2"] * 12)
    with pytest.raises(TraceError, match=r"12 of 112 rows are malformed: line 102: .*line 106: "):
        load_trace(path)


def test_reasons_are_counted_apart(write: Write) -> None:
    trace = load_trace(write(HEADER, *GOOD, *["100,5,0"] * 7, "100,x,1"))
    assert trace.num_dropped == 8
    assert [str(group) for group in trace.left_out] == [
        "7 without prompt or output tokens: line 102, line 103, line 104, line 105, line 106, ...",
        "1 malformed: line 109: expected a number, got 'x'",
    ]


def test_times_may_run_backwards_a_little(write: Write) -> None:
    trace = load_trace(write(HEADER, "100,1,1", "40,2,1", "160,3,1"))
    assert [r.prompt_tokens for r in trace.requests] == [2, 1, 3]


def test_times_that_run_backwards_by_hours_are_named(write: Write) -> None:
    rows = [f"{20_000 + second},100,10" for second in range(100)]
    trace = load_trace(write(HEADER, *rows, "5000,1,1"))
    assert "arrives 4.19 h before a request above it" in trace.left_out[0].examples[0]
    path = write(HEADER, *reversed([f"{7200 * n},1,1" for n in range(50)]))
    with pytest.raises(TraceError, match="order=any"):
        load_trace(path)
    assert len(load_trace(f"{path}?order=any").requests) == 50
    with pytest.raises(TraceError, match="order=some: expected any"):
        load_trace(f"{path}?order=some")


def test_a_gap_of_months_is_an_error(write: Write) -> None:
    with pytest.raises(TraceError, match="line 3: arrives 58 days after"):
        load_trace(write(HEADER, "0,1,1", "5000000,1,1"))


def test_an_unlikely_rate_casts_doubt_on_the_unit(write: Write) -> None:
    path = write(*[mooncake(1000 * n) for n in range(100)])
    assert load_trace(path).notes == ()
    (note,) = load_trace(f"{path}?unit=s").notes
    assert "are the times really in s?" in note


def test_packed_files(tmp_path: Path) -> None:
    content = "\n".join([HEADER, *GOOD]).encode()
    path = tmp_path / "trace.csv.gz"
    path.write_bytes(gzip.compress(content))
    assert len(load_trace(str(path)).requests) == 100
    path.write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(TraceError, match="damaged or cut short"):
        load_trace(str(path))
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(TraceError, match="is empty"):
        load_trace(str(path))


def test_a_packed_file_is_not_unpacked_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traces.source.MAX_UNPACKED_BYTES", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"0" * 1001))
    with pytest.raises(TraceError, match="unpacks to more than"):
        load_trace(str(path))
