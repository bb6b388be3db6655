"""What a job brings along is enough, and no more."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cluster.parcel import PACKAGES, pack
from scoot_ray.core.errors import StudyError
from scoot_ray.core.study import load_study
from tests.integration.studies import write_study


def test_the_study_is_read_there_with_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n")
    study = load_study(write_study(tmp_path, workload={"trace": "mine.csv?unit=ms"}))
    there = tmp_path / "there"
    there.mkdir()
    pack(study, there)
    names = {path.name for path in there.iterdir()}
    assert names == {*PACKAGES, "study.yaml", "files"}
    assert not list(there.rglob("__pycache__"))
    assert yaml.safe_load((there / "study.yaml").read_text())["workload"]["trace"] == (
        "files/mine.csv?unit=ms"
    )
    code = (
        "import scoot_ray, scoot_ray.core.study as s; "
        "print(scoot_ray.__file__, s.load_study('study.yaml').workload.trace)"
    )
    argv = [sys.executable, "-c", code]
    text = subprocess.run(
        argv, cwd=there, env={"PYTHONPATH": ""}, capture_output=True, text=True, check=True
    ).stdout
    assert text.split() == [
        str(there / "scoot_ray" / "__init__.py"),
        str(there / "files" / "mine.csv?unit=ms"),
    ]


@pytest.mark.parametrize("trace", ["synthetic:bot", "s3://bucket/traces/x.csv?unit=ms"])
def test_what_is_no_file_stays_as_it_is(tmp_path: Path, trace: str) -> None:
    study = load_study(write_study(tmp_path, workload={"trace": trace}))
    there = tmp_path / "there"
    there.mkdir()
    pack(study, there)
    assert load_study(there / "study.yaml") == study


def test_a_calibration_comes_along_and_a_pace_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}")
    simulator = {"calibration": "mine.json", "pace": 0.5}
    study = load_study(write_study(tmp_path, simulator=simulator))
    there = tmp_path / "there"
    there.mkdir()
    pack(study, there)
    shipped = yaml.safe_load((there / "study.yaml").read_text())["simulator"]
    assert shipped == {"calibration": "files/mine.json", "pace": 0.5}
    assert (there / "files" / "mine.json").read_text() == "{}"


def test_the_journals_of_earlier_studies_come_along(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "journal.jsonl").write_text(f"{name}\n")
    sources = ["runs/one", "simulator", "runs/two", "s3://bucket/three"]
    study = load_study(write_study(tmp_path, search={"start_from": sources}))
    there = tmp_path / "there"
    there.mkdir()
    pack(study, there)
    shipped = yaml.safe_load((there / "study.yaml").read_text())["search"]["start_from"]
    assert shipped == ["files/one", "simulator", "files/two", "s3://bucket/three"]
    assert (there / "files" / "two" / "journal.jsonl").read_text() == "two\n"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["runs/one", "old/one"], "two are called one"),
        (["runs/none"], "none holds no journal"),
        (["runs/one/journal.jsonl"], "holds no journal"),  # the file, not its folder
    ],
)
def test_earlier_studies_that_cannot_come_along(
    tmp_path: Path, sources: list[str], expected: str
) -> None:
    for folder in ("runs", "old"):
        (tmp_path / folder / "one").mkdir(parents=True)
        (tmp_path / folder / "one" / "journal.jsonl").write_text("{}\n")
    study = load_study(write_study(tmp_path, search={"start_from": sources}))
    (tmp_path / "there").mkdir()
    with pytest.raises(StudyError, match=expected):
        pack(study, tmp_path / "there")


def test_a_file_that_is_missing_or_too_large_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load_study(write_study(tmp_path, workload={"trace": "mine.csv"}))
    for number, expected in enumerate(("is not here", "too large.*bucket")):
        there = tmp_path / f"there{number}"
        there.mkdir()
        with pytest.raises(StudyError, match=expected):
            pack(study, there)
        (tmp_path / "mine.csv").write_text("a,b\n")
        monkeypatch.setattr("cluster.parcel.MAX_FILE_BYTES", 2)
