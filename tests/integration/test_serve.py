"""`scoot serve` as people run it: on a real Ray Serve, with real studies."""

import json
import os
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from scoot_ray.core.journal import Journal
from tests.integration.studies import STUDY, scoot
from tests.page_server import page_server
from tests.unit.scoot_ray.service.study_folders import write_journal

pytestmark = pytest.mark.slow

LIMIT_S = 120.0
TOKEN = "0123456789abcdef-secret"
# Real time passes, so that there is time to stop it.
SLOW = {**STUDY, "name": "slow", "simulator": {"pace": 0.2}, "search": {"observations": 50}}


def call(url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Send a request; return the status and the JSON that came."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_for(url: str, state: str) -> dict[str, Any]:
    """Wait until a study is in a state."""
    deadline_s = time.monotonic() + LIMIT_S
    while (study := call(url)[1])["state"] != state:
        assert time.monotonic() < deadline_s, study
        time.sleep(0.5)
    return dict(study)


@pytest.mark.timeout(900)
def test_a_study_is_started_watched_stopped_and_outlives_the_page(tmp_path: Path) -> None:
    root, log = tmp_path / "runs", tmp_path / "log"
    with page_server(root, log) as (url, process):
        assert _listeners_on(url) == {"127.0.0.1"}
        assert call(f"{url}/api/studies", Host="evil.example")[0] == 421
        status, study = call(f"{url}/api/studies", {"text": yaml.safe_dump(SLOW)})
        assert (status, study["state"]) == (201, "running")
        assert call(f"{url}/api/studies", {"text": yaml.safe_dump(SLOW)})[0] == 409
        assert call(f"{url}/api/studies/slow/start", {})[0] == 409
        _wait_for_trials(f"{url}/api/studies/slow")
        [tuner] = [each for each in psutil.process_iter(["cmdline"]) if _tunes(each, root)]
        assert tuner.nice() == os.nice(0), "Ray's workers are nice; a study is as its user is"
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()

    with page_server(root, log) as (url, _):
        slow = f"{url}/api/studies/slow"
        assert call(slow)[1]["state"] == "running", "it ended with the page"
        assert call(f"{slow}/stop", {})[0] == 200
        assert "Stopped before its end" in wait_for(slow, "stopped")["log"]
        assert (root / "slow" / "report.html").exists()
        num_before = len(Journal(root / "slow" / "journal.jsonl").read().trials)
        assert call(f"{slow}/start", {})[0] == 200
        _wait_for_trials(slow, num_before + 1)
        assert call(f"{slow}/stop", {})[0] == 200
        wait_for(slow, "stopped")


@pytest.mark.timeout(400)
def test_a_token_is_asked_for_and_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    write_journal(tmp_path / "runs" / "own")
    options = ("--host", "0.0.0.0", "--token-file", str(tmp_path / "token"))
    with page_server(tmp_path / "runs", tmp_path / "log", *options) as (url, process):
        assert call(f"{url}/api/studies")[0] == 401
        assert call(f"{url}/api/studies", Authorization=f"Bearer {TOKEN}")[0] == 200
        words = [each.cmdline() for each in _family(process.pid)]
        assert not any(TOKEN in word for line in words for word in line)
    assert TOKEN not in (tmp_path / "log").read_text()


def test_another_address_needs_a_token(tmp_path: Path) -> None:
    run = scoot("serve", tmp_path / "runs", "--host", "0.0.0.0")
    assert run.returncode == 2
    assert "--token-file" in run.stderr


@pytest.mark.parametrize("text", ["", "short", "two words of some length", None])
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "token").write_text(text)
    run = scoot("serve", tmp_path / "runs", "--token-file", tmp_path / "token")
    assert run.returncode == 2
    assert "--token-file" in run.stderr
    assert "Traceback" not in run.stderr
    assert not text or text not in run.stderr


def test_a_port_that_is_taken_and_a_root_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert scoot("serve", tmp_path / "file").returncode == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = scoot("serve", tmp_path / "runs", "--port", taken.getsockname()[1])
    assert (run.returncode, "the port is in use" in run.stderr) == (2, True)


def _wait_for_trials(url: str, num: int = 1) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while (study := call(url)[1])["num_finished"] < num:
        assert time.monotonic() < deadline_s, study["log"]
        time.sleep(0.5)


def _tunes(process: psutil.Process, root: Path) -> bool:
    return str(root / "slow") in (process.info["cmdline"] or [])


def _listeners_on(url: str) -> set[str]:
    """Return the addresses on which some process listens to the port of `url`."""
    port = int(url.rsplit(":", 1)[1])
    mine = [each for each in psutil.process_iter() if each.uids().real == os.getuid()]
    found = set()
    for process in mine:
        try:
            connections = process.net_connections("tcp")
        except psutil.Error:
            continue
        found |= {c.laddr.ip for c in connections if c.status == "LISTEN" and c.laddr.port == port}
    return found


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
