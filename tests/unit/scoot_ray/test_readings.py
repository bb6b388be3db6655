"""What a study publishes, folded from its journal."""

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.journal import History
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.readings import METRICS, Reading, readings_of
from tests.integration.studies import STUDY

LOST = Failure(Phase.LOAD, "node_lost", "gone")
OUT_OF_MEMORY = Failure(Phase.START, "out_of_memory", "full")


def complete(number: int, ttft_s: float, role: Role = Role.SEARCH) -> TrialRecord:
    metrics = {"ttft_mean_s": ttft_s, "tpot_mean_s": ttft_s / 10}
    phases_s = {"start": 10.0, "load": 2.0 * number}
    return TrialRecord(number, {}, TrialState.COMPLETE, metrics, role=role, phases_s=phases_s)


HISTORY = History(
    header={},
    trials=(
        complete(0, 1.0, Role.DEFAULT),
        complete(1, 0.5),
        TrialRecord(2, {}, TrialState.FAILED, {}, failure=LOST),
        TrialRecord(3, {}, TrialState.INFEASIBLE, {}, failure=OUT_OF_MEMORY),
    ),
    unfinished=(Assignment(4, Role.SEARCH, {}, 0), Assignment(5, Role.SEARCH, {}, 0)),
    suggestions_s=(0.5, 2.0),
)


def readings(history: History = HISTORY) -> dict[tuple[str, ...], float]:
    found = readings_of(parse_study(STUDY), history, num_planned=9, num_running=1)
    return {(r.metric.name, *r.labels.values()): r.value for r in found}


def test_values() -> None:
    found = readings()
    assert found["scoot_trials", "COMPLETE"] == 2
    assert found["scoot_trials", "FAILED"] == found["scoot_retries",] == 1
    assert found["scoot_trials", "RUNNING"] == found["scoot_trials", "WAITING"] == 1
    assert found["scoot_trials_planned",] == 9
    assert found["scoot_phase_seconds", "load"] == 1.0
    assert found["scoot_best_objective", "ttft_mean_s"] == 0.5
    assert abs(found["scoot_hypervolume",] - 0.5 * 0.05) < 1e-12
    assert found["scoot_infeasible_share",] == 1 / 3
    assert found["scoot_feasibility_threshold",] == 0.55
    assert found["scoot_suggestion_seconds",] == 2.0


def test_a_study_that_has_just_begun() -> None:
    found = readings(History({}, (), ()))
    assert found["scoot_trials", "COMPLETE"] == 0
    assert not any(key[0] in ("scoot_best_objective", "scoot_hypervolume") for key in found)


def test_labels_are_those_that_are_declared() -> None:
    for reading in readings_of(parse_study(STUDY), HISTORY, num_planned=9, num_running=1):
        assert isinstance(reading, Reading)
        assert reading.metric in METRICS
        assert tuple(reading.labels) == reading.metric.labels
