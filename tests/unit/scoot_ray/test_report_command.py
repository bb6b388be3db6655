"""`scoot report`: its forms, and the control."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scoot_ray.cli import app
from scoot_ray.control import control_of, control_study
from scoot_ray.core.errors import OutputError, StudyError
from scoot_ray.output import Output
from tests.unit.scoot_ray.reports import made_up_study, made_up_trials, write_journal

STUDY = made_up_study()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_journal(tmp_path, STUDY, made_up_trials(STUDY, 10))


def report(folder: Path, *options: str) -> str:
    run = CliRunner().invoke(app, ["report", str(folder), *options], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    return run.output


def test_html_is_written_and_the_tables_are_printed(folder: Path) -> None:
    assert "Recommended against default" in report(folder)
    assert "No control was run" in (folder / "report.html").read_text()
    assert (folder / "best.yaml").exists()


def test_every_trial_shows_the_end_of_its_log(tmp_path: Path) -> None:
    trials = [replace(r, trial_id=f"{r.number:04d}") for r in made_up_trials(STUDY, 10)]
    folder = write_journal(tmp_path, STUDY, trials)
    filling = "filling\n" * 20
    for record in trials:
        log = folder / "trials" / record.trial_id / "engine.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"the beginning\n{filling}<b>the end of {record.number}</b>\n")
    report(folder)
    page = (folder / "report.html").read_text()
    for record in trials:
        end = f"&lt;b&gt;the end of {record.number}&lt;/b&gt;"
        assert (end in page) is (record.failure is None), "a failure tells its own cause"
    assert "the beginning" not in page


def test_markdown_is_printed_alone(folder: Path) -> None:
    assert report(folder, "--format", "markdown").startswith("## SCOOT-Ray: made-up\n")
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_figures_are_named(folder: Path, kind: str) -> None:
    for line in report(folder, "--format", kind).splitlines():
        assert Path(line).suffix == f".{kind}"
        assert Path(line).exists()


def test_a_control_in_its_folder_is_drawn(folder: Path) -> None:
    control = control_study(STUDY)
    write_journal(folder / "control", control, made_up_trials(control, 5))
    report(folder)
    assert "random control" in (folder / "report.html").read_text()


def test_the_control_has_the_same_budget_and_confirms_nothing() -> None:
    control = control_study(STUDY)
    assert control.search.algorithm == "random"
    assert control.search.observations == STUDY.search.observations
    assert (control.confirm.repeats, control.drift.repeats) == (0, 0)
    assert control.workload == STUDY.workload


def test_what_is_no_control_is_refused(folder: Path) -> None:
    other = made_up_study(workload={"trace": "synthetic:bot", "request_rate_rps": 9})
    write_journal(folder / "control", other, [])
    with pytest.raises(OutputError, match=r"workload, search\.algorithm"):
        control_of(STUDY, Output(folder))


def test_gpus_are_not_spent_on_a_control_unasked() -> None:
    real = made_up_study(engine={"kind": "vllm", "model": "m", "fixed": {"max_model_len": 4096}})
    with pytest.raises(StudyError, match=r"algorithm: random.*DIR/control"):
        control_study(real)
