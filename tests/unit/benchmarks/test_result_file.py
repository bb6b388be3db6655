"""A benchmark's result says what it was made with."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.result_file import rounded, write_result
from scoot_ray.core.errors import OutputError


def test_a_result_names_its_command_its_commit_and_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "--output", "a file"])
    path = tmp_path / "new" / "result.json"
    write_result(path, seconds=[1 / 3], note="quiet")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["command"].endswith("--output 'a file'")
    assert written["commit"]
    assert set(written) > {"python", "system", "num_cores", "load_average", "versions"}
    assert written["versions"]["ray"]
    assert (written["seconds"], written["note"]) == ([0.33333], "quiet")


def test_a_result_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"Cannot write the result to .*: File exists\."):
        write_result(tmp_path / "file" / "result.json")


def test_numbers_are_rounded_wherever_they_are_and_nothing_else_is() -> None:
    value = {"a": (1234567, 123.45678), "b": [{"c": 1e-7 / 3}], "d": True, "e": None}
    assert rounded(value) == {
        "a": [1234567, 123.46],
        "b": [{"c": 3.3333e-8}],
        "d": True,
        "e": None,
    }
