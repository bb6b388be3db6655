"""Bad input ends in one clear message and exit status 2."""

from pathlib import Path

import pytest

from scoot_ray import cli
from tests.integration.studies import write_study


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["scoot", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"serach": {}}, "Did you mean search?"),
        ({"search": {"observatons": 3}}, "search.observatons: is not a key here. Did you mean obs"),
        ({"service": {"num_gpus": 0}}, "service.num_gpus"),
        ({"objective": "fast"}, "'fast' is not an objective"),
        ({"objective": [{"metric": "ttft_p98_s", "direction": "min"}]}, "Did you mean ttft_p9"),
        ({"limits": [{"metric": "ttft_p99_s", "at_least": 1}]}, "write `at_most: NUMBER`"),
        ({"workload": {"trace": "/nowhere/trace.csv"}}, "/nowhere/trace.csv"),
        ({"workload": {"trace": "synthetic:bott"}}, "bott"),
        ({"engine": {"model": "no/such-model"}}, "no/such-model"),
        ({"engine": {"kind": "vlm"}}, "engine.kind"),
        ({"service": {"accelerator": "A1000"}}, "A1000"),
        ({"space": "vllm-v9"}, "vllm-v9"),
        ({"space": {"remove": ["max_num_seq"]}}, "max_num_seqs"),
        ({"search": {"algorithm": "scot"}}, "scoot"),
    ],
)
def test_a_wrong_study_is_one_message(
    sections: dict[str, object],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = write_study(tmp_path, **sections)
    assert run(monkeypatch, "tune", study, "--output", tmp_path / "out") == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "out" / "journal.jsonl").exists()


def test_no_study_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "check", tmp_path / "missing.yaml") == 2
    assert "Cannot read the study file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "just words", "- a\n- list", ""])
def test_a_file_that_is_no_study(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text(text)
    assert run(monkeypatch, "tune", tmp_path / "study.yaml") == 2
    assert "study.yaml" in capsys.readouterr().err


def test_report_of_a_folder_without_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "report", tmp_path) == 2
    assert "holds no study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("max_num_seq=3", "Did you mean max_num_seqs?"),
        ("max_num_seqs", "expected NAME=VALUE"),
        ("max_num_seqs=many", "max_num_seqs='many': expected integer in"),
        ("max_num_seqs=8192", "max_num_batched_tokens"),
    ],
)
def test_a_wrong_setting(
    setting: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "stress", write_study(tmp_path), "--set", setting) == 2
    assert expected in capsys.readouterr().err


def test_stress_prints_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--set", "tensor_parallel_size=2", "--output", tmp_path / "out"]
    assert run(monkeypatch, "stress", write_study(tmp_path), *arguments) == 0
    assert "ttft_p99_s" in capsys.readouterr().out
