"""Folders of studies to show."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from scoot_ray.core.assignment import Role
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.service.api import create_api
from scoot_ray.service.guard import Access
from scoot_ray.service.studies import Studies
from scoot_ray.service.tuners import Tuners
from tests.integration.studies import STUDY

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e</script>"


def trial(number: int, ttft_s: float, tpot_s: float, role: Role = Role.SEARCH) -> TrialRecord:
    """Return a complete trial."""
    metrics = {"ttft_mean_s": ttft_s, "tpot_mean_s": tpot_s, "throughput_rps": 5.0}
    config = {"tensor_parallel_size": 1, "max_num_seqs": 64 + number}
    name = f"{number:04d}"
    return TrialRecord(number, config, TrialState.COMPLETE, metrics, role=role, trial_id=name)


def crashed(number: int, message: str, trial_id: str) -> TrialRecord:
    """Return a trial that the engine refused."""
    failure = Failure(Phase.START, "out_of_memory", message, (message,))
    state, config = TrialState.INFEASIBLE, {"tensor_parallel_size": 1, "max_num_seqs": 8192}
    return TrialRecord(number, config, state, {}, failure=failure, trial_id=trial_id)


def run_again(record: TrialRecord, line: str) -> TrialRecord:
    """Return a trial whose first try failed, its engine writing a line."""
    return replace(record, first_failure=Failure(Phase.LOAD, "engine_exited", "Killed.", (line,)))


FRONT = (trial(0, 1.0, 0.10, Role.DEFAULT), trial(1, 0.2, 0.09), trial(2, 0.4, 0.05))


def write_journal(folder: Path, *trials: TrialRecord, **sections: Any) -> Path:
    """Write a study's journal with finished trials."""
    study = parse_study({**STUDY, **sections})
    journal = Journal(folder / "journal.jsonl")
    journal.write_study(
        study.model_dump(mode="json"), measured_by="the embedded simulator", trace_sha256="0" * 64
    )
    for record in trials or FRONT:
        journal.write_trial(record)
    return folder


def client_of(root: Path, access: Access | None = None, **options: Any) -> TestClient:
    """Return a client of the API over a root folder, started from this machine."""
    access = access or Access()
    api = create_api(Studies.below(root), Tuners({}), access)
    return TestClient(api, base_url="http://127.0.0.1:8420", **options)
