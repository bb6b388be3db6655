"""`scoot export` on a folder: files, unfinished studies, and messages with exit status 2."""

import json
from pathlib import Path

import pytest

from scoot_ray import cli
from scoot_ray.core.journal import Journal
from tests.unit.scoot_ray.export_choices import study, trials


def write_journal(folder: Path, num_trials: int) -> Path:
    journal = Journal(folder / "journal.jsonl")
    journal.write_study(
        study().model_dump(mode="json"), measured_by="vLLM 0.32.0, ...", trace_sha256="cd" * 32
    )
    for record in trials()[:num_trials]:
        journal.write_trial(record)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_journal(tmp_path, num_trials=6)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["scoot", "export", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def test_the_recommended_configuration_is_printed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, folder, "--to", "json") == 0
    evidence = json.loads(capsys.readouterr().out)["evidence"]
    assert (evidence["trial"], evidence["reason"], evidence["missing"]) == (1, "recommended", "")
    assert len(evidence["journal_sha256"]) == 64


def test_conditions_pick_another_point(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = ("--where", "ttft_mean_s < 1", "--where", "throughput_rps > 6.5")
    assert run(monkeypatch, folder, "--to", "json", *wish, "--minimize", "ttft_mean_s") == 0
    assert json.loads(capsys.readouterr().out)["evidence"]["trial"] == 2


def test_a_file_is_overwritten_only_by_force(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "values.yaml"
    assert run(monkeypatch, folder, "--to", "helm", "--output", file) == 0
    assert "modelSpec" in file.read_text()
    file.write_text("mine")
    assert run(monkeypatch, folder, "--to", "helm", "--output", file) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert run(monkeypatch, folder, "--to", "helm", "--output", file, "--force") == 0
    assert "modelSpec" in file.read_text()


@pytest.mark.parametrize(
    ("num_trials", "missing"),
    [
        (3, "3 of 4 configurations have been tried"),
        (5, "1 of 2 confirmations of trial 1 have been made"),
    ],
)
def test_an_unfinished_study_is_exported_only_on_demand(
    num_trials: int,
    missing: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_journal(tmp_path, num_trials)
    assert run(monkeypatch, tmp_path) == 2
    assert missing in capsys.readouterr().err
    assert run(monkeypatch, tmp_path, "--unfinished") == 0
    assert f"# The study has not ended: {missing}." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "helmm"], "Did you mean helm?"),
        (["--config", "9"], "trial 9 does not exist"),
        (["--minimize", "ttft_mean"], "Did you mean ttft_mean_s?"),
        (["--where", "ttft_mean < 1"], "Did you mean ttft_mean_s?"),
        (["--minimize", "ttft_mean_s", "--maximize", "throughput_rps"], "not both"),
        (["--output", "/no/such/folder/file"], "Cannot write /no/such/folder/file"),
    ],
)
def test_bad_options_are_one_message(
    arguments: list[str],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, folder, *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
