"""Answers become a study file, or say what was expected."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from scoot_ray.cli import app
from scoot_ray.core.errors import InvalidStudyError, StudyError
from scoot_ray.core.objective import Limit
from scoot_ray.core.study import load_study, parse_study_text
from scoot_ray.draft import StudyDraft, read_goal, read_hardware, read_requests


def draft(**answers: str) -> StudyDraft:
    usual: dict[str, str] = {
        "name": "bot",
        "kind": "vllm",
        "model": "meta-llama/Llama-3.1-8B",
        "num_gpus": "4",
        "accelerator": "A100-80GB",
        "trace": "synthetic:bot",
        "request_rate_rps": "5",
        "objective": "offline",
        "limit_metric": "ttft_p99_s",
        "limit_bound": "2",
    }
    return StudyDraft(**{**usual, **answers})


def test_the_text_is_a_study_that_says_what_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(draft().text())
    study = load_study(path)
    assert (study.service.num_gpus, study.service.accelerator) == (4, "A100-80GB")
    assert (study.workload.trace, study.workload.request_rate_rps) == ("synthetic:bot", 5)
    assert study.objective == "offline"
    assert [str(limit) for limit in study.slo_limits] == ["ttft_p99_s <= 2"]


@pytest.mark.parametrize(
    "model", ["no", "1e3", "a: b", "org/it's", 'say "x" #1', "~", "C:\\m", "123", "😀", "\x7f\n"]
)
def test_a_model_of_any_spelling_stays_a_text(model: str) -> None:
    assert yaml.safe_load(draft(model=model).text())["engine"]["model"] == model


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("4 x A100-80GB", (4, "A100-80GB")), ("8xH100", (8, "H100")), ("2 L4", (2, "L4"))],
)
def test_hardware(answer: str, expected: tuple[int, str]) -> None:
    assert read_hardware(answer) == expected


@pytest.mark.parametrize("answer", ["", "many", "0 x L4", "4", "x H100"])
def test_hardware_that_cannot_be_read(answer: str) -> None:
    with pytest.raises(StudyError, match="4 x A100-80GB"):
        read_hardware(answer)


def test_requests_of_a_path_with_blanks() -> None:
    assert read_requests("my trace at 9.csv at 2.5/s") == ("my trace at 9.csv", 2.5)


@pytest.mark.parametrize("answer", ["trace.csv", "trace.csv at 0", "trace.csv at 1.2.3", "at 4"])
def test_requests_that_cannot_be_read(answer: str) -> None:
    with pytest.raises(StudyError, match=r"trace\.csv at 10"):
        read_requests(answer)


def test_a_rate_is_limited_from_below() -> None:
    assert read_goal("Online with throughput_rps >= 3") == ("online", Limit("throughput_rps", 3.0))
    text = draft(limit_metric="throughput_rps", limit_bound="3").text()
    assert yaml.safe_load(text)["limits"] == [{"metric": "throughput_rps", "at_least": 3}]


def test_a_wrong_answer_is_named_by_its_key_and_line() -> None:
    text = draft(num_gpus="many: #", objective="fast", limit_bound="").text()
    with pytest.raises(InvalidStudyError) as caught:
        parse_study_text(text, "The draft")
    mistakes = {mistake.path: mistake for mistake in caught.value.mistakes}
    assert set(mistakes) == {"service.num_gpus", "objective", "limits.0.at_most"}
    line = text.splitlines()[(mistakes["objective"].line or 0) - 1]
    assert line.startswith("objective: fast")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("fast", "interactive, online, offline"),
        ("offline with ttft_p98_s <= 2", "Did you mean ttft_p9"),
        ("offline with ttft_p99_s >= 2", "expected ttft_p99_s <="),
        ("offline with ttft_p99_s <= 0", "a number above 0"),
    ],
)
def test_goals_that_cannot_be_read(answer: str, expected: str) -> None:
    with pytest.raises(StudyError, match=expected):
        read_goal(answer)


def test_questions_are_asked_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "my study.yaml"
    answers = "\n8 x H100\n\ninteractive\n"
    first = CliRunner().invoke(app, ["init", str(path)], input=answers)
    assert first.exit_code == 0, first.output
    study = load_study(path)
    assert (study.name, study.service.num_gpus, study.limits) == ("my-study", 8, [])
    written = path.read_text()
    second = CliRunner().invoke(app, ["init", str(path)], input=answers)
    assert "is not overwritten" in str(second.exception)
    assert path.read_text() == written


def test_a_wrong_answer_of_a_script_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    result = CliRunner().invoke(app, ["init", str(path)], input="\nmany\n")
    assert "expected a number of GPUs" in str(result.exception)
    assert not path.exists()
