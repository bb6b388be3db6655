"""A configuration that runs its machine out of memory each time is infeasible; once is nothing."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scoot_ray.core.attempts import MAX_ATTEMPTS, SYSTEM_MEMORY
from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from tests.fault.raylets import raylets
from tests.integration.studies import command, write_study

pytestmark = pytest.mark.slow
# Ray's memory monitor kills a trial when more than this share of the machine's memory is in use.
ALWAYS_FULL = {"RAY_memory_usage_threshold": "0.0", "RAY_memory_monitor_refresh_ms": "50"}


def first_trials(folder: Path, address: str, number: int) -> tuple[TrialRecord, ...]:
    """Run a study until so many trials have finished."""
    # Trials of a few real seconds, so that the monitor has the time to see them.
    study = write_study(folder, simulator={"pace": 0.2}, search={"parallelism": 1})
    journal = Journal(folder / "out" / "journal.jsonl")
    process = subprocess.Popen(
        command("tune", study, "--output", folder / "out", "--address", address),
        start_new_session=True,
    )
    try:
        deadline_s = time.monotonic() + 120
        while not (journal.exists() and len(journal.read().trials) >= number):
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return journal.read().trials[:number]


def test_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with raylets() as cluster:
        cluster.add_node(4, env=ALWAYS_FULL)
        trials = first_trials(tmp_path, cluster.address, MAX_ATTEMPTS)
    states = [TrialState.FAILED] * (MAX_ATTEMPTS - 1) + [TrialState.INFEASIBLE]
    assert [record.state for record in trials] == states
    assert {record.failure.cause for record in trials if record.failure} == {SYSTEM_MEMORY}
    assert len({str(record.config) for record in trials}) == 1
    assert trials[-1].failure is not None
    assert "out of memory each of" in trials[-1].failure.message
