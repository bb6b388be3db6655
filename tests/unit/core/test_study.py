"""The study file: what it accepts, and that every error names the key and says what to write."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoot_ray.core.errors import InvalidStudyError, StudyError
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.study import Study, load_study, parse_study

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))


def study(**changes: Any) -> Study:
    return parse_study(
        {
            "name": "s",
            "engine": {"kind": "simulated", "model": "m"},
            "service": {"num_gpus": 2, "accelerator": "H100"},
            "workload": {"trace": "t.csv", "request_rate_rps": 5},
        }
        | changes
    )


def complaint(**changes: Any) -> str:
    with pytest.raises(StudyError) as caught:
        study(**changes)
    return str(caught.value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_valid_study(path: Path) -> None:
    assert load_study(path).name


def test_the_least_study_has_the_paper_s_defaults() -> None:
    made = study()
    assert made.objectives == (Objective("ttft_mean_s", "min"), Objective("tpot_mean_s", "min"))
    assert (made.space.base, made.search.algorithm) == (None, "scoot")
    assert made.search.observations == 30
    assert made.workload.duration_s == 100
    assert made.workload.select == "heaviest_half"


def test_objectives_limits_and_goodput_bounds_are_put_in_the_program_s_words() -> None:
    made = study(
        objective=[{"metric": "throughput_rps", "direction": "max"}],
        limits=[
            {"metric": "ttft_p99_s", "at_most": 2},
            {"metric": "throughput_rps", "at_least": 3},
        ],
    )
    assert made.objectives == (Objective("throughput_rps", "max"),)
    assert made.slo_limits == (Limit("ttft_p99_s", 2.0), Limit("throughput_rps", 3.0))
    assert made.goodput_bounds_s == {"ttft": 2.0}


def test_a_space_may_be_named() -> None:
    assert study(space="vllm-v0").space.base == "vllm-v0"


def test_flags_keep_their_types() -> None:
    fixed = {"a": True, "b": 1, "c": 1.0, "d": "x"}
    made = study(engine={"kind": "vllm", "model": "m", "fixed": fixed})
    kept = made.engine.fixed.values()
    assert [type(value) for value in kept] == [bool, int, float, str]


def test_bounds_keep_their_types() -> None:
    space = study(space={"parameters": {"x": {"low": 1, "high": 2.0}}}).space
    assert type(space.parameters["x"].low) is int
    assert type(space.parameters["x"].high) is float


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engin": {}}, "engin: is not a key here. Did you mean engine?"),
        ({"search": {"observation": 3}}, "search.observation: is not a key here. Did you mean"),
        ({"space": {"parameters": {"x": {"lwo": 1}}}}, "space.parameters.x.lwo: .* low?"),
        ({"space": {"parameters": {"x": {}}}}, "space.parameters.x: write either `low:`"),
        ({"space": {"parameters": {"x": {"low": "a"}}}}, "space.parameters.x.low: .*'a'"),
        ({"workload": {"trace": "t"}}, "workload.request_rate_rps: is missing; write"),
        (
            {"workload": {"trace": "t", "request_rate_rps": float("inf")}},
            "workload.request_rate_rps: .*finite",
        ),
        ({"search": {"observations": 0}}, "search.observations: .*greater than or equal to 1"),
        ({"engine": {"kind": "vlm", "model": "m"}}, "engine.kind: .*'vllm', .* or 'simulated'"),
        ({"objective": "intractive"}, "objective: 'intractive' .*write interactive, online, off"),
        ({"objective": []}, "objective: expected at least one"),
        (
            {"objective": [{"metric": "ttft_men_s", "direction": "min"}]},
            "objective.0.metric: 'ttft_men_s' is not a metric. Did you mean ttft_mean_s?",
        ),
        (
            {"objective": [{"metric": "ttft_mean_s", "direction": "up"}]},
            "objective.0.direction: .*'min' or 'max'",
        ),
        ({"limits": [{"metric": "ttft_p99_s", "at_least": 3}]}, "limits.0: write `at_most: NUM"),
        ({"limits": [{"metric": "goodput_rps", "at_most": 3}]}, "limits.0: write `at_least: NUM"),
        ({"limits": [{"metric": "ttft_p99_s"}]}, "limits.0: write `at_most: NUMBER`"),
        ({"limits": [{"metric": "foo", "at_most": 1}]}, "limits.0: 'foo' is not a metric"),
        ({"name": "a b"}, "name: .*'a b'"),
        ({"schedule": {"window": "22-6"}}, "schedule.window: .*'22-6'"),
    ],
)
def test_an_error_names_the_key_and_what_to_write(changes: dict[str, Any], message: str) -> None:
    text = complaint(**changes)
    assert text.splitlines()[0] == "study is not a valid study:"
    assert re.search(message.replace("?", r"\?"), text), text


def test_a_wrong_entry_of_a_list_is_not_reported_as_not_being_a_name() -> None:
    text = complaint(objective=[{"metric": "ttft_men_s", "direction": "min"}])
    assert "valid string" not in text
    assert len(text.splitlines()) == 2


def test_all_errors_are_reported_at_once() -> None:
    text = complaint(name="a b", search={"observations": 0}, engin={})
    assert len(text.splitlines()) == 4


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study(**changes).model_dump(exclude_none=True)))
    return path


def test_paths_are_relative_to_the_study_file(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    made = load_study(write(tmp_path, engine={"kind": "vllm", "model": "model"}))
    assert made.engine.model == str(tmp_path / "model")
    assert made.workload.trace == str(tmp_path / "t.csv")
    assert made.engine.python == "python3"


@pytest.mark.parametrize("trace", ["synthetic:bot", "s3://bucket/t.csv"])
def test_a_trace_that_is_no_path_is_left_alone(tmp_path: Path, trace: str) -> None:
    path = write(tmp_path, workload={"trace": trace, "request_rate_rps": 1})
    assert load_study(path).workload.trace == trace


def test_a_virtual_environment_s_python_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "python").symlink_to(tmp_path / "real")
    path = write(tmp_path, engine={"kind": "vllm", "model": "m", "python": "./python"})
    assert load_study(path).engine.python == str(tmp_path / "python")


def test_mistakes_in_a_file_name_their_lines_in_order(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        """\
name: s
engine: {kind: vlm, model: m}
service:
  num_gpus: 1
workload: {trace: t, request_rate_rps: 5}
limits:
  - {metric: ttft_p99_s, at_most: 2}
  - metric: tpot_p99_s
    at_most: soon
space:
  parameters:
    max_num_seqs:
      low: 1
      hihg: 2
"""
    )
    with pytest.raises(InvalidStudyError) as caught:
        load_study(path)
    assert [(mistake.line, mistake.path) for mistake in caught.value.mistakes] == [
        (2, "engine.kind"),
        (3, "service.accelerator"),
        (9, "limits.1.at_most"),
        (14, "space.parameters.max_num_seqs.hihg"),
    ]
    assert "\n  line 14, space.parameters.max_num_seqs.hihg: is not a key" in str(caught.value)


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("name: s\nengine: {kind: vllm\nservice: {}\n")
    with pytest.raises(InvalidStudyError, match=r"not valid YAML:\n  line 3: .*expected ',' or"):
        load_study(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "is not valid YAML"),
        (b"name: 2026-99-99", "has a value that cannot be read"),
        (b"- 1", "expected a mapping"),
        (b"", "expected a mapping"),
        (b"\xff\xfe\x00", "is not a text file"),
    ],
)
def test_files_that_are_no_study(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=message):
        load_study(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="Cannot read the study file"):
        load_study(tmp_path / "absent.yaml")
