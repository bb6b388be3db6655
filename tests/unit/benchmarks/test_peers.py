"""Peers: the protocol with a real process, and the tools where their environment is."""

import sys
from pathlib import Path

import pytest

from benchmarks.comparison.algorithms import ALGORITHMS, PEERS
from benchmarks.comparison.closed_form import ClosedFormService
from benchmarks.comparison.peer_process import PEERS_PYTHON, PeerEnvironment, peer_versions
from benchmarks.comparison.run import Task
from benchmarks.comparison.search import search
from scoot_ray.core.errors import StudyError

OURS = PeerEnvironment(Path(sys.executable))


def test_questions_are_answered_by_another_process() -> None:
    assert set(peer_versions(OURS, ["numpy"])) == {"numpy"}


def test_what_a_dead_peer_said_last_is_told() -> None:
    with OURS.start() as process, pytest.raises(StudyError, match="no-such-tool"):
        process.ask({"tool": "no-such-tool", "problem": {}})


@pytest.mark.slow
@pytest.mark.skipif(not PEERS_PYTHON.exists(), reason="needs .venv-peers (make peers)")
@pytest.mark.parametrize("objective", ["online", "interactive"])
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.timeout(600)
def test_every_peer_searches(name: str, objective: str) -> None:
    service = ClosedFormService(objective, 1)
    # Two suggestions of the tool itself, with two trials running, a crash or none before.
    task = Task(service.name, None, name, 3, 0, 12)
    run = search(task, service, ALGORITHMS[name], PeerEnvironment())
    assert len(run.curve) == 13
