"""A study goes from window to window; its clock is an hour for every trial."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scoot_ray.core.journal import Journal
from tests.integration.studies import command, scoot, write_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUM_TRIALS = 1 + 6 + 2
NIGHT = """
import sys
from datetime import datetime, timedelta, UTC
from pathlib import Path

from cluster.offpeak import Window
from scoot_ray.closing import Closing
from scoot_ray.core.study import load_study
from scoot_ray.output import Output
from scoot_ray.tuner import tune_study

study, output, night = load_study(sys.argv[1]), Output(Path(sys.argv[2])), int(sys.argv[3])
opens = datetime(2026, 11, 20, 22, tzinfo=UTC)


def an_hour_for_every_trial():
    journal = output.journal
    num_trials = len(journal.read().trials) if journal.exists() else 0
    return opens + timedelta(hours=num_trials)


window = Window(opens + timedelta(hours=4 * night), opens + timedelta(hours=4 * night + 4))
closing = Closing(study, window, an_hour_for_every_trial)
print(tune_study(study, output, resume=None, closing=closing).ending.name)
"""


def test_every_window_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    study = write_study(tmp_path, search={"parallelism": 1})
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    endings, counts = [], []
    for night in range(3):
        argv = [sys.executable, "-c", NIGHT, str(study), str(tmp_path / "out"), str(night)]
        run = subprocess.run(argv, capture_output=True, text=True, timeout=200, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        endings.append(run.stdout.splitlines()[-1])
        counts.append(len(journal.read().trials))
        assert not journal.read().unfinished, "a trial was started that could not finish"
    assert endings == ["CLOSING", "CLOSING", "FINISHED"]
    assert counts[:2] == [4, 8]
    finished = [entry["number"] for entry in journal.entries() if entry["kind"] == "trial"]
    assert sorted(finished) == list(range(len(finished))), "lost, or run twice"


def test_outside_its_windows_a_study_says_when_and_exits_with_75(tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    study = write_study(
        tmp_path,
        schedule={"window": "00:00-24:00", "weekdays": [f"{tomorrow:%a}".lower()]},
    )
    run = scoot("tune", study, "--output", tmp_path / "out")
    assert run.returncode == 75, run.stdout + run.stderr
    assert f"the next opens {tomorrow:%a %Y-%m-%d} 00:00 UTC" in run.stdout
    assert not (tmp_path / "out" / "journal.jsonl").exists()


def test_waiting_can_be_interrupted(tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    study = write_study(
        tmp_path,
        schedule={"window": "00:00-24:00", "weekdays": [f"{tomorrow:%a}".lower()]},
    )
    argv = command("tune", study, "--output", tmp_path / "out", "--wait")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waits:
        assert waits.stdout is not None
        assert "the next opens" in waits.stdout.readline()
        waits.terminate()
        assert waits.wait(timeout=60) != 0
