"""What a trial reports to Ray Tune, and what it lets through."""

from pathlib import Path

import pytest

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.errors import InfrastructureError, TraceError
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.study import parse_study
from tests.integration.studies import STUDY
from tests.unit.trainables.served_studies import small_trace
from trainables import ray_trainable

ASSIGNMENT = Assignment(7, Role.SEARCH, {"max_num_seqs": 8}, seed=1)


def measured(monkeypatch: pytest.MonkeyPatch, folder: Path, result: Outcome | Exception) -> Outcome:
    """Measure with a stress test that returns or raises `result`."""

    class Stub:
        def run(self, *_: object) -> Outcome:
            if isinstance(result, Exception):
                raise result
            return result

    monkeypatch.setattr(ray_trainable, "make_stress_test", lambda *_, **__: Stub())
    return ray_trainable.measure(ASSIGNMENT, parse_study(STUDY), small_trace(), folder)


def test_an_outcome_is_returned_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outcome = Outcome(TrialState.COMPLETE, {"ttft_mean_s": 0.1})
    assert measured(monkeypatch, tmp_path, outcome) == outcome


def test_a_mistake_in_the_study_stops_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    outcome = measured(monkeypatch, tmp_path, TraceError("nothing fits"))
    assert outcome.state is TrialState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.fatal
    assert outcome.failure.message == "nothing fits"


def test_infrastructure_is_left_to_ray_tune(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(InfrastructureError):
        measured(monkeypatch, tmp_path, InfrastructureError("the engine does not go away"))
