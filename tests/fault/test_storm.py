"""Nodes, actors and the driver killed at random moments; `make faults-nightly` does more of it."""

import os
from pathlib import Path

import pytest

from tests.fault.storm import WEIGHTS, rage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

NUM_KILLS = int(os.environ.get("SCOOT_KILLS", "50"))


def test_nothing_is_lost_mislabelled_or_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    storm = rage(tmp_path, NUM_KILLS, seed=0)
    assert storm.kills.total() == NUM_KILLS
    assert set(storm.kills) == set(WEIGHTS), "something was never killed"
