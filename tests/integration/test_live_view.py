"""The live view on a real terminal: it is drawn, Ctrl-C reports, a second one ends at once."""

import os
import pty
import re
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scoot_ray.core.journal import Journal
from tests.integration.studies import command, write_study
from tests.stand_in_engine import write_interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PATIENCE_S = 240.0


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, *arguments: object) -> None:
        self.text = ""
        argv = command(*arguments)
        self._process, self._descriptor = pty.fork()
        if self._process == 0:
            environment = {k: v for k, v in os.environ.items() if k != "CI"}
            size = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
            os.execve(sys.executable, argv, {**environment, **size})

    def read_until(self, is_there: Callable[[str], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_there(self.text):
            assert time.monotonic() < deadline_s, self.text[-3000:]
            assert self._read(), self.text[-3000:]

    def press_ctrl_c(self) -> None:
        os.write(self._descriptor, b"\x03")

    def wait(self) -> int:
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])

    def _read(self) -> bool:
        if not select.select([self._descriptor], [], [], 1.0)[0]:
            return True
        try:
            found = os.read(self._descriptor, 65536)
        except OSError:  # the process has closed its end
            return False
        self.text += found.decode(errors="replace")
        return bool(found)


def is_under_way(text: str) -> bool:
    return "best so far: trial" in text


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    study = write_study(tmp_path, simulator={"pace": 0.5}, search={"observations": 30})
    return Terminal("tune", study, "--output", tmp_path / "out")


def test_the_view_is_drawn_and_ctrl_c_writes_the_report(terminal: Terminal, tmp_path: Path) -> None:
    terminal.read_until(is_under_way)
    assert "\x1b[" in terminal.text, "it is redrawn"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.text)
    assert re.search(r"\d+ of 34 done, \d running, \d+ infeasible, 0 failed", plain)
    assert "GPU hours" in plain
    terminal.press_ctrl_c()
    assert terminal.wait() == 130
    assert "running trials are given up" in terminal.text
    assert "Tuner.restore" not in terminal.text, "the journal is what is resumed from"
    assert "--resume" in terminal.text
    assert "<svg" in (tmp_path / "out" / "report.html").read_text()
    assert Journal(tmp_path / "out" / "journal.jsonl").read().trials


def test_a_trial_on_a_server_tells_its_phases(tmp_path: Path) -> None:
    study = write_study(
        tmp_path,
        engine={
            "kind": "sglang",
            "python": str(write_interpreter(tmp_path)),
            "fixed": {"context_length": 4096, "tensor_parallel_size": 1},
            "startup_timeout_s": 240,
        },
        space={},
        service={"num_gpus": 2, "accelerator": "CPU"},
        workload={"request_rate_rps": 2, "duration_s": 20, "select": "all", "warmup_requests": 1},
        search={"observations": 1, "parallelism": 1},
    )
    terminal = Terminal("tune", study, "--output", tmp_path / "out")
    terminal.read_until(lambda text: "starting" in text)
    terminal.read_until(lambda text: re.search(r"load \d\d%", text) is not None)
    terminal.press_ctrl_c()
    assert terminal.wait() == 130
    shares = [int(share) for share in re.findall(r"load +(\d+)%", terminal.text)]
    assert shares == sorted(shares)


def test_a_second_ctrl_c_ends_it_and_loses_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.read_until(is_under_way)
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    num_finished = len(journal.read().trials)
    terminal.press_ctrl_c()
    terminal.read_until(lambda text: "Ctrl-C again" in text)
    terminal.press_ctrl_c()
    assert terminal.wait() == 130
    assert len(journal.read().trials) >= num_finished
