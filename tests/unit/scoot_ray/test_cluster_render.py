"""`scoot cluster render` as it is typed."""

from pathlib import Path

import yaml

from tests.integration.studies import scoot, write_study


def test_a_job_is_written_and_not_overwritten(tmp_path: Path) -> None:
    sizes = {"parameters": {"tensor_parallel_size": {"low": 1, "high": 2, "log2": True}}}
    study = write_study(tmp_path, space=sizes)
    out = tmp_path / "manifests"
    command = ("cluster", "render", "rayjob", study, "--set", "image=me/scoot:1", "--output", out)
    run = scoot(*command)
    assert run.returncode == 0, run.stderr
    file = out / "scoot-small-rayjob.yaml"
    assert f"Written: {file}" in run.stdout
    job = list(yaml.safe_load_all(file.read_text()))[-1]
    (group,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == "2"
    assert group["maxReplicas"] == 4
    file.write_text("mine")
    again = scoot(*command)
    assert again.returncode == 2
    assert "is not overwritten" in again.stderr
    assert file.read_text() == "mine"


def test_a_secret_is_not_put_into_a_manifest(tmp_path: Path) -> None:
    study = write_study(tmp_path, engine={"env": {"HF_TOKEN": "hf_0123"}})
    run = scoot("cluster", "render", "rayjob", study, "--set", "image=me/scoot:1")
    assert run.returncode == 2
    assert "--set secret=NAME" in run.stderr
    assert "hf_0123" not in run.stdout + run.stderr


def test_a_dockerfile_is_printed_and_a_wrong_setting_told() -> None:
    run = scoot("cluster", "render", "dockerfile", "--set", "base=me/ray:2")
    assert "\nFROM me/ray:2\n" in run.stdout
    wrong = scoot("cluster", "render", "dockerfile", "--set", "bas=x")
    assert wrong.returncode == 2
    assert "Did you mean base" in wrong.stderr
