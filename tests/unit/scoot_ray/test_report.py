"""The report's words: verdict and tables."""

from dataclasses import replace

from scoot_ray.core.assignment import Role
from scoot_ray.core.objective import Limit
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result
from scoot_ray.core.trial import TrialRecord
from scoot_ray.report.tables import (
    comparison_table,
    config_table,
    failures_table,
    front_table,
    gpu_seconds_by_phase,
    noise_table,
    time_table,
    trials_table,
)
from scoot_ray.report.verdict import verdict
from tests.unit.scoot_ray.results import OBJECTIVES, crashed, study_result, trial


def confirmation(number: int, ttft_s: float) -> TrialRecord:
    return trial(number, ttft_s, 0.06, Role.CONFIRM, size=2)


def test_verdict_names_the_gain_and_the_change() -> None:
    text = verdict(study_result())
    assert "ttft_mean_s 1 s -> 200 ms (80.0% better)" in text
    assert "max_num_seqs=2" in text
    assert "not been confirmed" in text


def test_confirmed_slo_is_the_worst_order() -> None:
    result = study_result(confirmation(4, 0.25), confirmation(5, 0.31))
    assert result.confirmed_slo()["ttft_mean_s"] == 0.31
    assert "worst of 2 arrival orders: ttft_mean_s 310 ms" in verdict(result)
    assert "one other arrival order: ttft" in verdict(study_result(confirmation(4, 0.25)))


def test_confirmations_of_another_configuration_do_not_count() -> None:
    result = study_result(trial(4, 0.9, 0.9, Role.CONFIRM, size=1))
    assert result.confirmations == ()


def test_a_crash_in_confirmation_is_not_hidden() -> None:
    crash = TrialRecord(
        5, {"max_num_seqs": 2}, TrialState.INFEASIBLE, {}, role=Role.CONFIRM, failure=None
    )
    text = verdict(study_result(confirmation(4, 0.25), crash))
    assert "failed in 1 of 2 arrival orders" in text


def test_a_gain_inside_the_noise_band_is_no_meaningful_difference() -> None:
    drift = [trial(4, 0.9, 0.1, Role.DRIFT, size=0), trial(5, 1.2, 0.1, Role.DRIFT, size=0)]
    confirmations = [confirmation(6, 0.85), confirmation(7, 1.1)]
    text = verdict(study_result(*drift, *confirmations))
    assert "ttft_mean_s 1.03 s -> 975 ms (5.6% better, within noise; noise band ±" in text
    assert "repeat more" in text, "four tests tell the noise badly"
    assert not text.startswith("No meaningful difference"), "TPOT is better by more than noise"
    same = [trial(n, 1.0, 0.1, Role.CONFIRM, size=2) for n in (8, 9)]
    assert verdict(study_result(*drift, *same)).startswith("No meaningful difference")


def test_a_default_that_drifted_is_told() -> None:
    drift = [trial(4, 1.5, 0.1, Role.DRIFT, size=0)]
    steady = [confirmation(5 + i, 0.2 + 0.001 * i) for i in range(20)]
    text = verdict(study_result(*drift, *steady))
    assert "changed between the start and the end of the study" in text
    assert "ttft_mean_s +50.0%" in text
    assert "changed between" not in verdict(study_result(*steady))


def test_a_bound_is_shown_as_one() -> None:
    early = replace(trial(4, 9.0, 0.2), is_bound=True, early_stop="hopeless: too late")
    row = trials_table(study_result(early)).rows[4]
    assert "at least 9 s" in row
    assert any(cell.startswith("at most ") for cell in row), "throughput"
    assert row[-1] == "hopeless: too late"


def test_verdict_tells_of_loads_that_were_sent_late() -> None:
    lags_s = (0.018, 0.004, 0.011)
    tests = [trial(n, 0.9, 0.9) for n, _ in enumerate(lags_s, start=4)]
    timed = [
        replace(test, metrics={**test.metrics, "schedule_lag_p99_s": lag_s})
        for test, lag_s in zip(tests, lags_s, strict=True)
    ]
    text = verdict(study_result(*timed, crashed(7)))
    assert "In 2 of 7 tests requests were sent more than 10 ms late (p99, up to 18 ms)" in text
    assert "placement.num_cpus" in text
    assert "late" not in verdict(study_result(timed[1]))


def test_verdict_when_the_default_is_best() -> None:
    result = Result.from_trials([trial(0, 0.1, 0.1, Role.DEFAULT), trial(1, 1, 1)], OBJECTIVES)
    assert "keep it" in verdict(result)


def test_verdict_when_a_limit_cannot_be_met() -> None:
    text = verdict(study_result(limits=(Limit("ttft_mean_s", 0.1),)))
    assert text.startswith("No measured configuration meets every limit")
    assert "ttft_mean_s <= 0.1 (measured 200 ms)" in text


def test_verdict_when_nothing_completed() -> None:
    result = Result.from_trials([crashed(0)], OBJECTIVES)
    assert "nothing can be recommended" in verdict(result)


def test_the_front_marks_the_recommended_trial() -> None:
    table = front_table(study_result())
    assert [row[0] for row in table.rows] == ["2 *", "1"]


def test_comparison_shows_gain_only_for_objectives() -> None:
    rows = {row[0]: row for row in comparison_table(study_result()).rows}
    assert rows["ttft_mean_s"][1:4] == ("1 s", "200 ms", "+80.0%")
    assert rows["throughput_rps"][3] == ""


def test_every_trial_is_listed_with_its_failure() -> None:
    rows = trials_table(study_result(crashed(4))).rows
    assert len(rows) == 5
    assert rows[4][-1] == "It ran out of memory."


def test_configuration_lists_default_and_recommended() -> None:
    assert config_table(study_result()).rows == (("max_num_seqs", "0", "2"),)


def test_noise_and_drift_are_listed() -> None:
    drift = [trial(4, 1.5, 0.1, Role.DRIFT, size=0)]
    steady = [confirmation(5 + i, 0.2 + 0.001 * i) for i in range(20)]
    rows = {row[0]: row for row in noise_table(study_result(*drift, *steady)).rows}
    assert rows["ttft_mean_s"][3:] == ("+50.0%", "yes")
    assert {row[0]: row for row in noise_table(study_result()).rows}["ttft_mean_s"][1:] == (
        "-",
    ) * 4


def test_gpu_hours_are_those_of_the_phases_of_a_trial() -> None:
    crash = replace(crashed(4), num_gpus=1, phases_s={"start": 1.0, "stop": 1.0})
    spent = {"start": 10.0, "readiness": 80.0, "load": 3600.0, "stop": 1.0}
    timed = replace(trial(5, 1.0, 0.2), num_gpus=2, phases_s=spent)
    result = study_result(crash, timed)
    spent_by_phase = {"start": 21.0, "readiness": 160.0, "load": 7200.0, "stop": 3.0}
    assert gpu_seconds_by_phase(result) == spent_by_phase
    assert [row[0] for row in time_table(result).rows] == ["start", "readiness", "load", "stop"]
    assert time_table(result).rows[2] == ("load", "60 min", "60 min", "2", "98%")
    assert time_table(result).title == "Time and GPU hours by phase"
    on_cpus = replace(result, device="CPU rank")
    assert time_table(on_cpus).header[3] == "CPU rank hours"


def test_causes_of_failures_are_counted() -> None:
    table = failures_table(study_result(crashed(4), crashed(5)))
    message = "It ran out of memory."
    assert table.rows == (("INFEASIBLE", "start", "out_of_memory", "2", "4, 5", message),)
