"""Whole trials on a stand-in engine: each way to end, its label, and nothing left behind."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scoot_ray.core.bar import Bar
from scoot_ray.core.errors import TraceError
from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import Request
from tests.processes import wait_for_number
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study, small_trace, write_model
from traces.schema import Trace
from trainables.backend import make_stress_test

INFEASIBLE, FAILED = TrialState.INFEASIBLE, TrialState.FAILED


def run_trial(
    folder: Path,
    config: dict[str, Any] | None = None,
    fault: str = "",
    bar: Bar | None = None,
    **study: Any,
) -> Outcome:
    env = {"STAND_IN_FAULT": fault, "STAND_IN_FAULTY_FROM": "2", **study.pop("env", {})}
    python = study.pop("python", None) or write_interpreter(folder)
    model = folder / "model"
    write_model(model)
    served = served_study(python, model=str(model), env=env, **study)
    test = make_stress_test(served, folder=folder / "trial")
    outcome = test.run({"tensor_parallel_size": 1, **(config or {})}, small_trace(), 1, bar)
    assert wait_for_number(str(model), 0, 0.0) == []
    return outcome


def test_a_good_trial(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path)
    assert outcome.state is TrialState.COMPLETE
    assert outcome.failure is None
    assert list(outcome.phases_s) == ["start", "readiness", "warm-up", "load", "drain", "stop"]
    assert outcome.phases_s["load"] > 0.5
    assert outcome.metrics["num_failed"] == 0
    # 40 requests/s for the service are 20 for the one of its two GPUs that was tested.
    table = pd.read_parquet(tmp_path / "trial" / "requests.parquet")
    assert len(table) == outcome.metrics["num_requests"] == pytest.approx(20, abs=12)
    assert set(table["output_tokens"]) == {5}
    rate_rps = len(table) / table["finished_s"].max()
    assert outcome.metrics["throughput_rps"] == pytest.approx(2 * rate_rps)
    # The engine takes 10 ms; on a busy machine, which it gives way to, it takes longer.
    assert 0.01 <= outcome.metrics["ttft_mean_s"] < 5


def test_a_hopeless_trial_ends_early_with_bounds(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, fault="hang", bar=Bar(1, reference=(0.05, 0.0)))
    assert outcome.state is TrialState.COMPLETE
    assert outcome.is_bound
    assert "the default's" in outcome.early_stop
    assert outcome.metrics["ttft_mean_s"] >= 0.05
    # It never gave a token, so nothing is known of its pace.
    assert outcome.estimate.keys() == {name for name in outcome.metrics if "ttft" in name}
    assert outcome.estimate["ttft_mean_s"] >= outcome.metrics["ttft_mean_s"]
    assert "drain" not in outcome.phases_s or outcome.phases_s["drain"] < 20
    assert "stop" in outcome.phases_s


def test_a_trial_that_may_still_be_good_runs_to_its_end(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, bar=Bar(1, reference=(1e3, 1e3)))
    assert outcome.state is TrialState.COMPLETE
    assert not outcome.is_bound
    assert outcome.metrics["num_failed"] == 0


@pytest.mark.parametrize(
    ("fault", "phase", "cause", "state"),
    [
        ("die_at_start", Phase.START, "engine_exited", INFEASIBLE),
        ("cut_off", Phase.DRAIN, "request_errors", INFEASIBLE),
        ("hang", Phase.DRAIN, "request_timeouts", INFEASIBLE),
        ("never_ready", Phase.START, "startup_timeout", INFEASIBLE),
    ],
)
def test_a_bad_trial_is_labelled(
    tmp_path: Path, fault: str, phase: Phase, cause: str, state: TrialState
) -> None:
    startup_timeout_s = 3.0 if fault == "never_ready" else 120.0
    outcome = run_trial(
        tmp_path, fault=fault, startup_timeout_s=startup_timeout_s, request_timeout_s=2.0
    )
    assert outcome.state is state
    assert outcome.failure is not None
    assert (outcome.failure.phase, outcome.failure.cause) == (phase, cause)
    assert not outcome.failure.fatal
    assert "stop" in outcome.phases_s


@pytest.mark.parametrize(
    ("fault", "detail"), [("errors", "status 503"), ("stuck", "not answer for 1 s")]
)
def test_illness_ends_the_load_before_its_time(tmp_path: Path, fault: str, detail: str) -> None:
    outcome = run_trial(
        tmp_path,
        fault=fault,
        duration_s=60,
        request_timeout_s=60,
        engine={"health_timeout_s": 1.0},
        env={"STAND_IN_FAULTY_FROM": "6"},
    )
    assert outcome.state is INFEASIBLE
    assert outcome.failure is not None
    assert (outcome.failure.phase, outcome.failure.cause) == (Phase.LOAD, "health_lost")
    assert detail in outcome.failure.message
    assert outcome.phases_s["load"] < 40  # of both attempts together


def test_what_nothing_explains_is_tried_once_more(tmp_path: Path) -> None:
    env = {"STAND_IN_FAULT_ONCE": str(tmp_path / "happened")}
    outcome = run_trial(tmp_path, fault="die_at_start", env=env)
    assert outcome.state is TrialState.COMPLETE
    first = tmp_path / "trial" / "engine-first-attempt.log"
    assert first.read_text() == "RuntimeError: something that no rule knows\n"
    at_first = outcome.first_failure
    assert at_first is not None
    assert (at_first.phase, at_first.cause) == (Phase.START, "engine_exited")
    assert at_first.log_tail == ("RuntimeError: something that no rule knows",)


def test_what_nothing_explains_twice_is_held_against_the_configuration(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, fault="die_at_start")
    assert outcome.state is INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.message.endswith("It failed so twice.")
    assert (tmp_path / "trial" / "engine-first-attempt.log").exists()


def test_what_is_known_is_not_tried_again(tmp_path: Path) -> None:
    run_trial(tmp_path, {"max_num_seqs": 512, "max_num_batched_tokens": 64})
    assert not (tmp_path / "trial" / "engine-first-attempt.log").exists()


def test_the_engines_last_lines_are_kept(tmp_path: Path) -> None:
    failure = run_trial(tmp_path, fault="die_at_start").failure
    assert failure is not None
    assert failure.log_tail == ("RuntimeError: something that no rule knows",)
    assert "Exit status: 1." in failure.message


def test_an_engine_that_the_kernel_kills_is_shown_by_its_chatter(tmp_path: Path) -> None:
    program = tmp_path / "killed"
    program.write_text("#!/bin/sh\necho 'INFO 11-21 03:34:45 [core.py:1] Loading'\nkill -9 $$\n")
    program.chmod(0o755)
    failure = run_trial(tmp_path, python=program).failure
    assert failure is not None
    assert "killed by SIGKILL" in failure.message
    assert failure.log_tail == ("INFO 11-21 03:34:45 [core.py:1] Loading",)


def test_death_under_load_is_seen_at_once(tmp_path: Path) -> None:
    outcome = run_trial(
        tmp_path,
        fault="die",
        duration_s=30,
        request_timeout_s=60,
        env={"STAND_IN_FAULTY_FROM": "6"},
    )
    assert outcome.state is INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.cause == "out_of_memory"
    assert outcome.failure.phase is Phase.LOAD
    assert outcome.phases_s["load"] < 5


def test_death_at_the_last_request_is_not_taken_for_request_errors(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, fault="die", duration_s=1.0)
    assert outcome.failure is not None
    assert outcome.failure.cause == "out_of_memory"


def test_a_fault_in_the_warm_up_ends_the_trial(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, fault="cut_off", env={"STAND_IN_FAULTY_FROM": "0"})
    assert outcome.failure is not None
    assert outcome.failure.phase is Phase.WARM_UP
    assert "load" not in outcome.phases_s


def test_a_refused_configuration(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, {"max_num_seqs": 512, "max_num_batched_tokens": 64})
    assert outcome.state is INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.cause == "batched_tokens_too_small"


def test_a_wrong_flag_is_nobodys_label_and_stops_the_study(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, {"no_such_flag": 1})
    assert outcome.state is FAILED
    assert outcome.failure is not None
    assert outcome.failure.fatal
    assert outcome.failure.log_tail[-1].endswith("unrecognized arguments: --no-such-flag 1")


def test_an_engine_that_is_not_installed_stops_the_study(tmp_path: Path) -> None:
    outcome = run_trial(tmp_path, python=tmp_path / "nothing")
    assert outcome.state is FAILED
    assert outcome.failure is not None
    assert outcome.failure.cause == "engine_not_installed"
    assert outcome.failure.fatal


def test_few_failures_are_forgiven(tmp_path: Path) -> None:
    outcome = run_trial(
        tmp_path, fault="cut_off", max_failed_share=0.9, env={"STAND_IN_FAULTY_FROM": "6"}
    )
    assert outcome.state is TrialState.COMPLETE
    assert outcome.metrics["num_failed"] > 0


def test_a_trace_that_does_not_fit_is_not_a_label(tmp_path: Path) -> None:
    trace = Trace((Request(0.0, 9000, 10),), "long", "0", "s", "test")
    study = served_study(write_interpreter(tmp_path))
    with pytest.raises(TraceError):
        make_stress_test(study, folder=tmp_path / "trial").run({}, trace, seed=1)
