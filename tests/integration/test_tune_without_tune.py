"""A study through Ray Tune finds what the same study finds without it, one trial at a time."""

from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.assignment import Role, trial_seed
from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import load_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.plan import Plan
from tests.integration.studies import scoot, write_study
from trainables.backend import make_stress_test

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OBSERVATIONS = 30
PARTS: dict[str, Any] = {
    # One GPU: bundles of one size, so that actors are used again.
    "service": {"num_gpus": 1},
    "workload": {"duration_s": 5, "request_rate_rps": 2},
    "confirm": {"repeats": 0},
    "drift": {"repeats": 0},
    "early_stop": False,
}


def without_tune(path: Path, seed: int) -> list[TrialRecord]:
    """Search by a plain loop."""
    study = load_study(path)
    plan, stress_test = Plan.of(study), make_stress_test(study)
    history: list[TrialRecord] = []
    for number in range(OBSERVATIONS + 1):
        [config] = plan.agenda.optimizer.suggest(history, [])
        outcome = stress_test.run(config, plan.trace, trial_seed(seed, number))
        history.append(TrialRecord(number, config, outcome.state, outcome.metrics))
    return history


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_configurations_at_parallel_degree_one(tmp_path: Path, seed: int) -> None:
    search = {"observations": OBSERVATIONS, "parallelism": 1, "seed": seed, "algorithm": "scoot"}
    path = write_study(tmp_path, search=search, **PARTS)
    run = scoot("tune", path, "--output", tmp_path / "out", timeout_s=600)
    assert run.returncode == 0, run.stdout + run.stderr
    trials = Journal(tmp_path / "out" / "journal.jsonl").read().trials
    expected = without_tune(path, seed)
    assert [r.config for r in trials] == [r.config for r in expected]
    assert [r.metrics for r in trials] == [r.metrics for r in expected]


def test_a_study_in_batches(tmp_path: Path) -> None:
    search = {"observations": 6, "parallelism": 3, "mode": "batch", "algorithm": "scoot_paper"}
    path = write_study(tmp_path, search=search, **PARTS)
    run = scoot("tune", path, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stdout + run.stderr
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    kinds = [entry["kind"] for entry in journal.entries()[1:]]
    # The barrier: a batch is written whole, and the next one when all of it has finished.
    assert kinds == (["suggestion"] * 3 + ["trial"] * 3) * 2 + ["suggestion", "trial"]
    assert {r.role for r in journal.read().trials} == {Role.DEFAULT, Role.SEARCH}
    assert all(r.state is not TrialState.FAILED for r in journal.read().trials)


def test_a_study_in_stocks(tmp_path: Path) -> None:
    sizes = {"tensor_parallel_size": {"low": 1, "high": 4, "log2": True}}
    search = {"observations": 7, "parallelism": 3, "mode": "warm_first", "algorithm": "scoot"}
    path = write_study(
        tmp_path,
        search=search,
        **{**PARTS, "service": {"num_gpus": 4}, "space": {"parameters": sizes}},
    )
    run = scoot("tune", path, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stdout + run.stderr
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    kinds = "".join(entry["kind"][0] for entry in journal.entries()[1:])
    # A stock is written whole, and the next one while trials run.
    assert [len(stock) for stock in kinds.split("t") if stock] == [3, 3, 2]
    assert len(journal.read().trials) == 8
