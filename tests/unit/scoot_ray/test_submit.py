"""`scoot submit` says what is wrong before it reaches for a cluster."""

from pathlib import Path

import pytest

from tests.integration.studies import scoot, write_study

pytestmark = pytest.mark.slow
NIGHTS = {"window": "22:00-06:00", "timezone": "Asia/Shanghai"}
ADDRESS = ("--address", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--output", "runs/x"], "expected an absolute path"),
        (["--output", "s3://key:hush@bucket/x"], "by the environment"),
        (["--timer", "sundial"], "expected cron, systemd, kubernetes"),
        (["--runtime-env", "env.yaml"], "image_uri cannot be here"),
        ([], "Nothing answers at http://127.0.0.1:9"),
    ],
)
def test_a_mistake_is_told_with_status_2(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "env.yaml").write_text("image_uri: mine:1\n")
    words = [str(tmp_path / word) if word == "env.yaml" else word for word in arguments]
    run = scoot("submit", write_study(tmp_path, schedule=NIGHTS), *ADDRESS, *words)
    assert run.returncode == 2, run.stdout + run.stderr
    assert says in run.stderr
    assert "hush" not in run.stderr


def test_a_timer_submits_the_same_study_for_one_window(tmp_path: Path) -> None:
    study = write_study(tmp_path, schedule=NIGHTS)
    run = scoot("submit", study, *ADDRESS, "--output", "s3://bucket/x", "--timer", "cron")
    assert run.returncode == 0, run.stderr
    zone, line = run.stdout.splitlines()
    assert zone == "CRON_TZ=Asia/Shanghai"
    assert line.startswith("0 22 * * * ")
    expected = (
        f"submit {study} --address http://127.0.0.1:9 --output s3://bucket/x --once --no-wait"
    )
    assert line.endswith(expected)
