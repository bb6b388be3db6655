"""`scoot tune` end to end: real Ray, the embedded simulator."""

import shutil
from pathlib import Path

import pytest
import yaml

from scoot_ray.core.assignment import Role
from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from tests.integration.studies import scoot, write_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    study = write_study(folder)
    run = scoot("tune", study, "--output", folder / "out")
    assert run.returncode == 0, run.stdout + run.stderr
    (folder / "stdout").write_text(run.stdout)
    return folder


def test_default_search_and_confirmation_are_in_the_journal(finished: Path) -> None:
    history = Journal(finished / "out" / "journal.jsonl").read()
    roles = [record.role for record in sorted(history.trials, key=lambda r: r.number)]
    assert roles == [Role.DEFAULT] + [Role.SEARCH] * 6 + [Role.CONFIRM] * 2 + [Role.DRIFT]
    assert history.unfinished == ()
    assert history.trials[0].state in TrialState


def test_bundles_are_sized_to_tensor_parallel(finished: Path) -> None:
    trials = Journal(finished / "out" / "journal.jsonl").read().trials
    assert {r.num_gpus for r in trials} > {1}
    assert all(r.num_gpus == r.config["tensor_parallel_size"] for r in trials)


def test_progress_front_and_recommendation_are_printed(finished: Path) -> None:
    text = (finished / "stdout").read_text()
    assert "trial 0   COMPLETE" in text
    assert "Pareto front" in text
    assert "Recommended against default" in text
    assert "\x1b[" not in text, "control characters in a log file"


def test_the_files_are_written(finished: Path) -> None:
    best = yaml.safe_load((finished / "out" / "best.yaml").read_text())
    assert best["confirmed_slo"].keys() >= {"ttft_mean_s", "tpot_mean_s"}
    assert "--max-num-seqs" in best["launch_command"]
    assert "<svg" in (finished / "out" / "report.html").read_text()


def test_a_study_starts_from_an_earlier_one_and_goes_on_without_it(
    finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished / "out", tmp_path / "earlier")
    sections = {"confirm": {"repeats": 0}, "workload": {"request_rate_rps": 6}}
    search = {"start_from": "earlier", "parallelism": 1, "observations": 1}
    study = write_study(tmp_path, search=search, **sections)
    run = scoot("tune", study, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"start: from {tmp_path / 'earlier'}: " in run.stdout
    shutil.rmtree(tmp_path / "earlier")
    study = write_study(tmp_path, search={**search, "observations": 4}, **sections)
    run = scoot("tune", study, "--output", tmp_path / "out", "--resume")
    assert run.returncode == 0, run.stdout + run.stderr
    history = Journal(tmp_path / "out" / "journal.jsonl").read()
    first = history.header["first"]
    assert len(first) > 1
    trials = sorted(history.trials, key=lambda r: r.number)
    searched = [r.config for r in trials if r.role is Role.SEARCH]
    assert searched[: len(first)] == first


def test_a_folder_with_a_study_is_not_overwritten(finished: Path) -> None:
    before = (finished / "out" / "journal.jsonl").read_bytes()
    run = scoot("tune", finished / "study.yaml", "--output", finished / "out")
    assert run.returncode == 2
    assert "--resume" in run.stderr
    assert (finished / "out" / "journal.jsonl").read_bytes() == before


def test_another_study_is_not_resumed(finished: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path, workload={"request_rate_rps": 9})
    run = scoot("tune", other, "--output", finished / "out", "--resume")
    assert run.returncode == 2
    assert "workload differ" in run.stderr


def test_report_and_export_read_the_journal(finished: Path) -> None:
    (finished / "out" / "report.html").unlink()
    assert scoot("report", finished / "out").returncode == 0
    assert (finished / "out" / "report.html").exists()
    run = scoot("export", finished / "out", "--to", "command")
    assert run.returncode == 0
    assert "vllm.entrypoints.openai.api_server" in run.stdout
    assert scoot("export", finished / "out", "--to", "nonsense").returncode == 2


def test_more_gpus_than_the_cluster_has(finished: Path, tmp_path: Path) -> None:
    study = write_study(
        tmp_path,
        space={
            "base": "vllm-v1",
            "parameters": {"tensor_parallel_size": {"low": 1, "high": 8, "log2": True}},
        },
    )
    run = scoot("tune", study, "--output", tmp_path / "out")
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out" / "journal.jsonl").exists(), "it would stand in the way later"
