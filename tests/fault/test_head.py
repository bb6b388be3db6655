"""The head of the cluster dies in the middle of a study, and the study goes on elsewhere."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from tests.fault.raylets import raylets
from tests.integration.studies import command, scoot, write_study

pytestmark = pytest.mark.slow
NUM_TRIALS = 1 + 6 + 2 + 1


def test_a_study_outlives_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "3")
    study = write_study(tmp_path, simulator={"pace": 0.05})
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    arguments = ["tune", study, "--output", tmp_path / "out"]
    with raylets() as cluster:
        cluster.add_node(4)
        process = subprocess.Popen(
            command(*arguments, "--address", cluster.address), start_new_session=True
        )
        deadline_s = time.monotonic() + 120
        while not (journal.exists() and len(journal.read().trials) >= 2):
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        cluster.kill_head()
        try:
            assert process.wait(120) != 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    finished = {r.number: r for r in journal.read().trials}
    assert 0 < len(finished) < NUM_TRIALS
    run = scoot(*arguments, "--resume")
    assert run.returncode == 0, run.stdout + run.stderr
    history = journal.read()
    now = {r.number: r for r in history.trials}
    assert finished.items() <= now.items()
    assert sum(r.state is TrialState.COMPLETE for r in history.trials) == NUM_TRIALS
    assert history.unfinished == ()
