"""`scoot_ray.load`: a study's journal and requests as frames."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import scoot_ray
from scoot_ray.core.errors import OutputError
from tests.unit.scoot_ray.reports import made_up_study, made_up_trials, write_journal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study = made_up_study()
    return write_journal(tmp_path, study, made_up_trials(study, 6))


def test_trials_are_rows_by_number(folder: Path) -> None:
    trials = scoot_ray.load(folder).trials
    assert list(trials.index) == list(range(7))
    assert trials.loc[0, "role"] == "default"
    assert trials["config.max_num_seqs"].notna().all()
    assert trials["metrics.ttft_mean_s"].notna().any()
    assert (trials["phases_s.load"] == 100.0).all()


def test_the_front_are_rows_of_the_trials(folder: Path) -> None:
    study = scoot_ray.load(str(folder))
    assert len(study.front) >= 1
    assert set(study.front.index) <= set(study.trials.index)
    assert list(study.front.index) == [record.number for record in study.result.front]


def test_events_are_the_lines_of_the_journal(folder: Path) -> None:
    events = scoot_ray.load(folder).events
    assert events["kind"].value_counts().to_dict() == {"suggestion": 7, "trial": 7}


def test_requests_of_a_trial(folder: Path) -> None:
    path = folder / "trials" / "0003" / "requests.parquet"
    path.parent.mkdir(parents=True)
    pd.DataFrame({"due_s": [0.0, 1.5]}).to_parquet(path)
    study = scoot_ray.load(folder)
    assert list(study.requests(3)["due_s"]) == [0.0, 1.5]
    with pytest.raises(OutputError, match="Trial 4 has no requests"):
        study.requests(4)


def test_a_folder_without_a_study(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no study"):
        scoot_ray.load(tmp_path)


def test_the_package_itself_imports_nothing() -> None:
    code = (
        "import sys, typing; before = set(sys.modules); import scoot_ray; "
        "print(sorted(set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['scoot_ray']"
