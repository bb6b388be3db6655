"""`scoot traces`: what it prints and writes, and how it answers what a person gets wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scoot_ray import cli
from traces import load_trace

AZURE_CONV = Path(__file__).parents[4] / "shared" / "data" / "azure_llm_2023_conv.csv"
TIMED = '{"timestamp": 0, "input_length": 9, "output_length": 2}\n'

Scoot = Callable[..., tuple[int, str]]


@pytest.fixture
def scoot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Scoot:
    """Run `scoot traces`; returns the exit status and what it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["scoot", "traces", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_info:
            cli.main()
        captured = capsys.readouterr()
        return int(exit_info.value.code or 0), captured.out + captured.err

    return run


@pytest.mark.skipif(not AZURE_CONV.exists(), reason=f"the Azure trace is not at {AZURE_CONV}")
def test_the_azure_conversation_trace_is_understood(scoot: Scoot) -> None:
    status, printed = scoot("inspect", AZURE_CONV)
    assert status == 0
    for expected in (
        "19,366; 0 row(s) left out",
        "s: processed traces are in seconds",
        "58.4 min",
        "5.53 requests/s in the mean",
        "p50 1,020",
        "does not say what prompts share",
        "1,024-2,047 ████████████████████████████████████████  35.5%",
    ):
        assert expected in printed


def test_sessions_and_sharing_are_told(scoot: Scoot) -> None:
    status, printed = scoot("inspect", "synthetic:bot?num_requests=300")
    assert status == 0
    assert "none: made up" in printed
    assert "an infinite prefix cache would serve" in printed
    assert "requests in the mean" in printed


def test_a_trace_of_one_request_without_times(scoot: Scoot, tmp_path: Path) -> None:
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "hello"}\n')
    status, printed = scoot("inspect", f"{tmp_path / 'prompts.jsonl'}?output_tokens=5")
    assert status == 0
    assert "no arrival times of its own" in printed
    assert "token counts estimated from text" in printed


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_what_is_converted_loads_back_equal(scoot: Scoot, tmp_path: Path, name: str) -> None:
    source, out = tmp_path / "timed.jsonl", tmp_path / name
    source.write_text(TIMED + TIMED.replace("0", "1500"))
    assert scoot("convert", f"{source}?unit=ms", "--to", out)[0] == 0
    assert load_trace(str(out)).requests == load_trace(f"{source}?unit=ms").requests
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_synthesized_trace_has_the_rate_and_loads_back_equal(
    scoot: Scoot, tmp_path: Path
) -> None:
    arguments = ("synthesize", "bot", "--rate", 20, "--duration", 50, "--seed", 3)
    for name in ("first.jsonl", "again.jsonl"):
        assert scoot(*arguments, "--to", tmp_path / name)[0] == 0
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()
    trace = load_trace(str(tmp_path / "first.jsonl"))
    assert len(trace.requests) == pytest.approx(1000, rel=0.1)
    assert trace.span_s <= 50
    assert trace.time_unit == "s"


def test_nothing_is_overwritten_without_force(scoot: Scoot, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    for command in (["convert", "synthetic:sql"], ["synthesize", "sql"]):
        status, printed = scoot(*command, "--to", out)
        assert (status, out.read_text()) == (2, "mine")
        assert "--force" in printed
    assert scoot("synthesize", "sql", "--to", out, "--force")[0] == 0
    assert load_trace(str(out)).format == "scoot"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["inspect", "absent.csv"], "cannot read the file: No such file"),
        (["inspect", "timed.jsonl"], "timed.jsonl?unit=ms'"),
        (["inspect", "timed.jsonl?unti=ms"], "Did you mean unit?"),
        (["inspect", "synthetic:bott"], "Did you mean bot?"),
        (["inspect", "."], "directory"),
        (["convert", "synthetic:sql"], "Missing option '--to'"),
        (["convert", "synthetic:sql", "--to", "."], "expected a file"),
        (["convert", "synthetic:sql", "--to", "no/such/folder/out"], "cannot be written"),
        (["synthesize", "sql", "--to", "a" * 300], "File name too long"),
        (["synthesize", "bott", "--to", "out"], "Did you mean bot?"),
        (["synthesize", "sql", "--rate", "-1", "--to", "out"], "expected at least 1"),
        (["synthesize", "sql", "--rate", "nan", "--to", "out"], "expected at least 1"),
        (["synthesize", "sql", "--rate", "1e12", "--to", "out"], "at most 1,000,000"),
        (["synthesize", "sql", "--rate", "fast", "--to", "out"], "'--rate'"),
        (["synthesize", "sql", "--seed", "-1", "--to", "out"], "'--seed'"),
    ],
)
def test_a_mistake_is_one_message(
    scoot: Scoot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "timed.jsonl").write_text(TIMED)
    status, printed = scoot(*arguments)
    assert status == 2
    assert expected in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "out").exists()
