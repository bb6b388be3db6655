"""Calibration on a stand-in engine: what is measured and kept, and what is said of failures."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoot_ray.calibrate import (
    Comparison,
    Fit,
    PlannedTest,
    calibrate_study,
    comparison_table,
    describe_error,
    plan_tests,
)
from scoot_ray.core.errors import EngineError, StudyError
from scoot_ray.core.sections import SpaceSection
from scoot_ray.core.study import Study
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study
from trainables.simulator.calibration import Calibration, load_calibration
from trainables.spaces import make_space

ONE_BLOCK_SIZE = {"block_size": {"values": [128]}}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = served_study(write_interpreter(tmp_path), duration_s=2, request_rate_rps=20)
    workload = study.workload.model_copy(update={"trace": "synthetic:cls"})
    return study.model_copy(update={"workload": workload})


def test_the_default_is_fitted_with_every_degree_at_every_rate(study: Study) -> None:
    study = study.model_copy(update={"service": study.service.model_copy(update={"num_gpus": 4})})
    space = make_space(study)
    tests = plan_tests(study, space, num_fitted=9, num_held_out=3)
    rates = [test.request_rate_rps for test in tests]
    assert rates == [10, 10, 20, 20, 30, 30, 30, 10, 20, 10, 20, 30]
    assert [test.is_held_out for test in tests] == [False] * 9 + [True] * 3
    degrees = [{**space.default, "tensor_parallel_size": size} for size in (2, 4)]
    assert [test.config for test in tests[:6]] == 3 * degrees
    configs = [tuple(test.config.items()) for test in tests[4:]]
    assert len(set(configs)) == len(configs)


def test_one_test_changes_nothing_but_the_block_size(study: Study) -> None:
    space = make_space(study)
    *_, test = plan_tests(study, space, num_fitted=4, num_held_out=0)
    assert space.default["block_size"] == 128
    assert test.config == {**space.default, "block_size": 16}
    assert [config["block_size"] for config in test.instead] == [32, 64]
    assert test.request_rate_rps == 30


@pytest.mark.parametrize("changes", [{"remove": ["block_size"]}, {"parameters": ONE_BLOCK_SIZE}])
def test_there_may_be_no_other_block_size(study: Study, changes: dict[str, Any]) -> None:
    study = study.model_copy(update={"space": SpaceSection(base="vllm-v1", **changes)})
    tests = plan_tests(study, make_space(study), num_fitted=4, num_held_out=0)
    assert len({test.config.get("block_size") for test in tests}) == 1


def test_few_tests_are_the_first_of_many(study: Study) -> None:
    space = make_space(study)
    few = plan_tests(study, space, num_fitted=2, num_held_out=0)
    assert few == plan_tests(study, space, num_fitted=8, num_held_out=0)[:2]


@pytest.mark.slow
def test_it_measures_fits_predicts_and_goes_on_where_it_was(study: Study, tmp_path: Path) -> None:
    notes: list[str] = []

    def calibrate() -> float:
        fit = calibrate_study(
            study,
            tmp_path / "out",
            num_fitted=2,
            num_held_out=1,
            duration_s=2.0,
            note=notes.append,
        )
        assert [c.test.is_held_out for c in fit.comparisons] == [False, False, True]
        assert load_calibration(fit.path) == fit.calibration
        error = fit.largest_held_out_error
        assert error is not None
        return error

    first = calibrate()
    assert not any("measured before" in note for note in notes)
    notes.clear()
    assert calibrate() == first
    assert sum("measured before" in note for note in notes) == 3


@pytest.mark.slow
def test_a_block_size_that_the_engine_refuses_gives_way_to_the_next(
    study: Study, tmp_path: Path
) -> None:
    engine = study.engine.model_copy(update={"env": {"STAND_IN_REFUSES": "--block-size 16 "}})
    notes: list[str] = []
    fit = calibrate_study(
        study.model_copy(update={"engine": engine}),
        tmp_path / "out",
        num_fitted=4,
        num_held_out=0,
        num_rounds=2,
        duration_s=1.0,
        note=notes.append,
    )
    assert [c.test.config["block_size"] for c in fit.comparisons] == [128, 128, 128, 32]
    assert sum(note.startswith("test 3: INFEASIBLE") for note in notes) == 1


@pytest.mark.slow
def test_rounds_follow_one_another_and_their_means_count(study: Study, tmp_path: Path) -> None:
    notes: list[str] = []
    fit = calibrate_study(
        study,
        tmp_path / "out",
        num_fitted=2,
        num_held_out=0,
        num_rounds=2,
        duration_s=1.0,
        note=notes.append,
    )
    assert [note[: len("test 0")] for note in notes[:4]] == ["test 0", "test 1"] * 2
    first = fit.comparisons[0]
    found = [
        json.loads((tmp_path / "out" / "trials" / name / "measurement.json").read_text())
        for name in ("0000-0", "0000-1")
    ]
    times_s = [one["metrics"]["ttft_mean_s"] for one in found]
    assert first.measured["ttft_mean_s"] == pytest.approx(sum(times_s) / 2)
    assert first.spread["ttft_mean_s"] == pytest.approx(max(times_s) / min(times_s) - 1.0)
    assert fit.largest_spread >= first.spread["ttft_mean_s"] > 0.0


@pytest.mark.slow
def test_an_engine_that_dies_every_time_cannot_be_calibrated(study: Study, tmp_path: Path) -> None:
    engine = study.engine.model_copy(update={"env": {"STAND_IN_FAULT": "die_at_start"}})
    notes: list[str] = []
    with pytest.raises(EngineError, match="needs two stress tests that completed, got 0"):
        calibrate_study(
            study.model_copy(update={"engine": engine}),
            tmp_path / "out",
            num_fitted=2,
            num_held_out=0,
            duration_s=1.0,
            note=notes.append,
        )
    assert any("infeasible" in note.lower() for note in notes)


def test_the_simulator_is_not_calibrated_to_itself(study: Study, tmp_path: Path) -> None:
    engine = study.engine.model_copy(update={"kind": "simulated"})
    with pytest.raises(StudyError, match="needs a real engine"):
        calibrate_study(
            study.model_copy(update={"engine": engine}),
            tmp_path / "out",
            num_fitted=3,
            num_held_out=0,
            duration_s=1.0,
            note=print,
        )
    assert not (tmp_path / "out").exists()


def test_the_table_sets_predicted_beside_measured() -> None:
    test = PlannedTest(4, {"max_num_seqs": 8}, 10.0, is_held_out=True)
    measured = {
        "throughput_rps": 4.0,
        "ttft_mean_s": 0.1,
        "tpot_mean_s": 0.02,
        "latency_p95_s": 2.0,
    }
    good = Comparison(test, measured, {**measured, "ttft_mean_s": 0.11})
    crashed = Comparison(replace(test, number=5), measured, {})
    table = comparison_table([good, crashed])
    assert table.rows[0][:3] == ("4", "held out", "10")
    assert "0.11 (0.1, +10%)" in table.rows[0]
    assert table.rows[1][3] == "crashed (4)"
    assert good.error("ttft_mean_s") == pytest.approx(0.1)


def test_what_was_not_measured_is_not_compared() -> None:
    # Answers of one token: nothing is between tokens.
    measured = {"throughput_rps": 4.0, "ttft_mean_s": 0.1, "latency_p95_s": 0.2}
    test = PlannedTest(4, {"max_num_seqs": 8}, 10.0, is_held_out=True)
    one_token = Comparison(test, measured, {**measured, "throughput_rps": 3.0})
    assert one_token.error("tpot_mean_s") is None
    assert comparison_table([one_token]).rows[0][5] == "-"
    fit = Fit(Calibration(), (one_token,), Path("calibration.yaml"))
    assert fit.largest_held_out_error == pytest.approx(0.25)


def test_a_held_out_prediction_that_crashed_is_said_to_have() -> None:
    test = PlannedTest(4, {"max_num_seqs": 8}, 10.0, is_held_out=True)
    crashed = Comparison(test, {"throughput_rps": 4.0}, {})
    error = Fit(Calibration(), (crashed,), Path("calibration.yaml")).largest_held_out_error
    assert error is not None
    assert describe_error(error) == "crashed"
    assert describe_error(0.25) == "25%"
