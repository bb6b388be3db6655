"""What a trial reports to Ray Tune, and what it lets through."""

from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.errors import InfrastructureError, TraceError
from scoot_ray.core.study import parse_study
from scoot_ray.core.trial import Assignment, Outcome, Role, TrialState
from tests.integration.studies import STUDY
from tests.unit.trainables.served_studies import small_trace
from trainables import ray_trainable

ASSIGNMENT = Assignment(7, Role.SEARCH, {"max_num_seqs": 8}, seed=1)


def report_of(
    monkeypatch: pytest.MonkeyPatch, folder: Path, result: Outcome | Exception
) -> dict[str, Any]:
    """Run a trial whose stress test returns or raises `result`."""

    class Stub:
        def run(self, *_: object) -> Outcome:
            if isinstance(result, Exception):
                raise result
            return result

    reports: list[dict[str, Any]] = []
    monkeypatch.setattr(ray_trainable, "make_stress_test", lambda *_, **__: Stub())
    monkeypatch.setattr("ray.tune.report", reports.append)
    ray_trainable.run_trial(
        ASSIGNMENT.to_json(), study=parse_study(STUDY), trace=small_trace(), trials_folder=folder
    )
    (report,) = reports
    return report


def test_an_outcome_is_reported_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outcome = Outcome(TrialState.COMPLETE, {"ttft_mean_s": 0.1})
    report = report_of(monkeypatch, tmp_path, outcome)
    assert Outcome.from_json(report["outcome"]) == outcome


def test_a_mistake_in_the_study_stops_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    report = report_of(monkeypatch, tmp_path, TraceError("nothing fits"))
    outcome = Outcome.from_json(report["outcome"])
    assert outcome.state is TrialState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.fatal
    assert outcome.failure.message == "nothing fits"


def test_infrastructure_is_left_to_ray_tune(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(InfrastructureError):
        report_of(monkeypatch, tmp_path, InfrastructureError("the engine does not go away"))
