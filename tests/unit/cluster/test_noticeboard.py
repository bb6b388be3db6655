"""The board on which trials post their phases."""

import time

import pytest

from cluster.noticeboard import Board, Teller


def test_the_latest_phase_of_each_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    board = Board()
    board.post(3, "start")
    now[0] = 12.0
    board.post(3, "start")
    board.post(4, "start")
    now[0] = 15.0
    assert board.read() == {3: ("start", 5.0), 4: ("start", 3.0)}, "parts of a phase are one phase"
    board.post(3, "load")
    now[0] = 16.0
    assert board.read()[3] == ("load", 1.0)


def test_without_a_board_nobody_is_told() -> None:
    Teller()(3, "load")
