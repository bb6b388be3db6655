"""A driver that is killed loses nothing that had finished, and runs nothing twice."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scoot_ray.core.assignment import Role
from scoot_ray.core.journal import Journal
from tests.integration.studies import command, scoot, write_study

pytestmark = pytest.mark.slow
NUM_TRIALS = 1 + 6 + 2 + 1


def kill_after(journal: Journal, process: "subprocess.Popen[bytes]", num_trials: int) -> None:
    """Kill -9 the driver shortly after its `num_trials`-th trial was journalled."""
    deadline_s = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline_s:
        if journal.exists() and len(journal.read().trials) >= num_trials:
            break
        time.sleep(0.02)
    time.sleep(random.Random(num_trials).uniform(0, 0.5))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_kill_and_resume(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    arguments = ["tune", study, "--output", tmp_path / "out"]
    finished_before: dict[int, object] = {}
    for num_trials in (0, 2, 5):
        process = subprocess.Popen(command(*arguments), start_new_session=True)
        kill_after(journal, process, num_trials)
        if not journal.exists():
            continue
        arguments = ["tune", study, "--output", tmp_path / "out", "--resume"]
        now = {record.number: record for record in journal.read().trials}
        assert finished_before.items() <= now.items()
        finished_before = dict(now)
    assert len(finished_before) < NUM_TRIALS, "the study ended before it was killed"
    run = scoot(*arguments)
    assert run.returncode == 0, run.stdout + run.stderr

    entries = journal.entries()
    finished = [entry["number"] for entry in entries if entry["kind"] == "trial"]
    suggested = [entry["number"] for entry in entries if entry["kind"] == "suggestion"]
    assert sorted(finished) == list(range(NUM_TRIALS)), "lost, or run twice"
    assert sorted(suggested) == list(range(NUM_TRIALS)), "suggested twice"
    history = journal.read()
    by_number = {record.number: record for record in history.trials}
    assert finished_before.items() <= by_number.items()
    assert by_number[0].role is Role.DEFAULT
    for entry in entries:
        if entry["kind"] == "suggestion":
            assert by_number[entry["number"]].config == entry["config"]


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    study = write_study(tmp_path, search={"observations": 200})
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    process = subprocess.Popen(
        command("tune", study, "--output", tmp_path / "out"),
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    while not (journal.exists() and len(journal.read().trials) >= 3):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in text
    assert (tmp_path / "out" / "report.html").exists()


def found(journal: Journal) -> dict[int, tuple[object, ...]]:
    """Return what a study measured, by number: all but times of day."""
    trials = journal.read().trials
    return {r.number: (r.role, r.config, r.state, r.metrics, r.seed) for r in trials}


def test_the_search_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    search = {"algorithm": "scoot", "observations": 11, "parallelism": 1}
    study = write_study(tmp_path, search=search, confirm={"repeats": 1})
    undisturbed = Journal(tmp_path / "undisturbed" / "journal.jsonl")
    run = scoot("tune", study, "--output", undisturbed.path.parent)
    assert run.returncode == 0, run.stdout + run.stderr

    journal = Journal(tmp_path / "out" / "journal.jsonl")
    arguments: list[object] = ["tune", study, "--output", tmp_path / "out"]
    for num_trials in (3, 10):
        process = subprocess.Popen(command(*arguments), start_new_session=True)
        kill_after(journal, process, num_trials)
        arguments = [*arguments[:4], "--resume"]
    run = scoot(*arguments)
    assert run.returncode == 0, run.stdout + run.stderr
    assert found(journal) == found(undisturbed)
