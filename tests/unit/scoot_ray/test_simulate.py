"""`scoot simulate`: the embedded engine by itself."""

import socket
from pathlib import Path

import pytest

from scoot_ray import cli
from tests.integration.studies import write_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["scoot", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def rows(output: str) -> dict[str, str]:
    """Read the cells of a printed table of two columns."""
    cells = [line.split("│")[1:3] for line in output.splitlines() if line.count("│") == 3]
    return {name.strip(): value.strip() for name, value in cells}


def test_the_same_numbers_as_stress(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (study, "--set", "max_num_seqs=128", "--output", tmp_path / "out")
    assert run(monkeypatch, "stress", *arguments) == 0
    stressed = rows(capsys.readouterr().out)
    assert run(monkeypatch, "simulate", *arguments) == 0
    simulated = capsys.readouterr().out
    assert rows(simulated) == stressed
    assert "Simulated: meta-llama/Llama-2-7b-hf on 1 x A100-80GB in virtual time" in simulated
    assert (tmp_path / "out" / "engine.log").exists()


def test_a_study_of_a_real_engine_is_simulated_on_its_accelerator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path, engine={"kind": "vllm", "python": "/nowhere/python"})
    assert run(monkeypatch, "simulate", study, "--output", tmp_path / "out") == 0
    assert "1 x A100-80GB" in capsys.readouterr().out


def test_a_plot_of_several_configurations(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    arguments = ("--compare", "max_num_seqs=2", "--compare", "block_size=32,max_num_seqs=3")
    assert run(monkeypatch, "simulate", study, "--plot", "--output", out, *arguments) == 0
    output = capsys.readouterr().out
    for label in ("default", "max_num_seqs=2", "block_size=32,max_num_seqs=3"):
        assert f"Inside the engine: {label}" in output
        assert label in (out / "timeline.html").read_text()
    assert str(out / "timeline.html") in output


def test_every_replica_has_a_timeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path, service={"replicas": "all"})
    arguments = ("--set", "tensor_parallel_size=2", "--plot", "--output", tmp_path / "out")
    assert run(monkeypatch, "simulate", study, *arguments) == 0
    output = capsys.readouterr().out
    assert "engine 1 of 2" in output
    assert "engine 2 of 2" in output


def test_an_engine_that_does_not_start_says_why(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("--set", "max_num_seqs=4096", "--plot", "--output", tmp_path / "out")
    assert run(monkeypatch, "simulate", study, *arguments) == 1
    output = capsys.readouterr().out
    assert "must be greater than or equal to max_num_seqs" in output
    assert "Nothing to draw" in output
    assert not (tmp_path / "out" / "timeline.html").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--set", "max_num_seq=3"), "Did you mean max_num_seqs?"),
        (("--set", "max_num_seqs"), "expected NAME=VALUE"),
        (("--set", "max_num_seqs=many"), "expected a whole number of at least 1"),
        (("--set", "max_num_seqs=0"), "expected a whole number of at least 1"),
        (("--set", "enforce_eager=1"), "expected true or false"),
        (("--set", "gpu_memory_utilization=high"), "expected a number"),
        (("--set", "tensor_parallel_size=8"), "service.num_gpus=4"),
        (("--compare", "max_num_seqs"), "--compare max_num_seqs: expected NAME=VALUE"),
        (("--profile", "/nowhere/profile.csv"), "/nowhere/profile.csv"),
        (("--calibration", "/nowhere/constants.yaml"), "/nowhere/constants.yaml"),
        (("--serve", "--fault", "die"), "expected one of die-at-start"),
        (("--fault", "hang"), "add --serve"),
        (("--serve", "--uds", "/nowhere/socket"), "Cannot listen at /nowhere/socket"),
    ],
)
def test_what_is_wrong_is_one_message(
    arguments: tuple[str, ...],
    expected: str,
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "simulate", study, "--output", tmp_path / "out", *arguments) == 2
    assert expected in capsys.readouterr().err


def test_a_port_in_use_is_one_message(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(monkeypatch, "simulate", study, "--serve", "--port", port) == 2
    assert f"Cannot listen at http://127.0.0.1:{port}" in capsys.readouterr().err
