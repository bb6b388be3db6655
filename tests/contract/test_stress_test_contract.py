"""What every stress test promises, the simulated one and the served one (on a stand-in engine)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scoot_ray.core.errors import TraceError
from scoot_ray.core.failure import Phase
from scoot_ray.core.metrics import METRICS
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import Request
from scoot_ray.core.study import Study
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study, small_trace
from traces.schema import Trace
from trainables.backend import make_stress_test
from trainables.phases import READINESS

GOOD = {"tensor_parallel_size": 1, "max_num_seqs": 64, "max_num_batched_tokens": 4096}
BAD = {**GOOD, "max_num_seqs": 5000}  # more sequences than tokens: every vLLM refuses it
StudyMaker = Callable[..., Study]


@pytest.fixture(params=[("simulated", "A100-80GB"), ("vllm", "CPU")], ids=lambda param: param[0])
def make_study(request: pytest.FixtureRequest, tmp_path: Path) -> StudyMaker:
    kind, accelerator = request.param
    python = write_interpreter(tmp_path)

    def make(**workload: Any) -> Study:
        study = served_study(python, **workload)
        engine = study.engine.model_copy(update={"kind": kind, "startup_timeout_s": 120.0})
        service = study.service.model_copy(update={"accelerator": accelerator})
        return study.model_copy(update={"engine": engine, "service": service})

    return make


def run(study: Study, folder: Path, config: dict[str, Any], seed: int = 1) -> Outcome:
    return make_stress_test(study, folder=folder / "trial").run(config, small_trace(), seed)


def test_complete_with_every_metric_and_phase(make_study: StudyMaker, tmp_path: Path) -> None:
    outcome = run(make_study(), tmp_path, GOOD)
    assert outcome.state is TrialState.COMPLETE
    assert outcome.failure is None
    assert outcome.metrics.keys() >= set(METRICS)
    assert all(isinstance(value, float) for value in outcome.metrics.values())
    # An engine that is a process times the later part of its start apart.
    names = [name for name in outcome.phases_s if name != READINESS]
    assert names == [phase.value for phase in Phase]
    assert all(seconds >= 0 for seconds in outcome.phases_s.values())


def test_log_and_requests_are_left_in_the_folder(make_study: StudyMaker, tmp_path: Path) -> None:
    outcome = run(make_study(), tmp_path, GOOD)
    assert (tmp_path / "trial" / "engine.log").exists()
    table = pd.read_parquet(tmp_path / "trial" / "requests.parquet")
    assert len(table) == outcome.metrics["num_requests"]


def test_the_same_seed_sends_the_same_requests(make_study: StudyMaker, tmp_path: Path) -> None:
    due_s = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run(make_study(), tmp_path / name, GOOD, seed)
        table = pd.read_parquet(tmp_path / name / "trial" / "requests.parquet")
        due_s.append(list(table["due_s"]))
    assert due_s[0] == due_s[1]
    assert due_s[0] != due_s[2]


def test_one_of_two_replicas_gets_half_of_the_load(make_study: StudyMaker, tmp_path: Path) -> None:
    study = make_study(duration_s=3, request_rate_rps=40)
    half = run(study, tmp_path / "half", GOOD)
    whole = run(study, tmp_path / "whole", {**GOOD, "tensor_parallel_size": 2})
    assert half.metrics["num_requests"] == pytest.approx(60, abs=30)
    assert whole.metrics["num_requests"] == pytest.approx(120, abs=40)


def test_a_refused_configuration_is_infeasible(make_study: StudyMaker, tmp_path: Path) -> None:
    outcome = run(make_study(), tmp_path, BAD)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.metrics == {}
    assert outcome.failure is not None
    assert outcome.failure.phase is Phase.START
    assert not outcome.failure.fatal
    assert any("max_num_batched_tokens" in line for line in outcome.failure.log_tail)


def test_an_unknown_flag_is_nobodys_label(make_study: StudyMaker, tmp_path: Path) -> None:
    outcome = run(make_study(), tmp_path, {**GOOD, "max_num_sequences": 4})
    assert outcome.state is TrialState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.fatal


def test_a_trace_that_never_fits_is_the_users_to_mend(
    make_study: StudyMaker, tmp_path: Path
) -> None:
    giant = Trace((Request(0.0, 100_000, 10),), "giant", "0", "s", "test")
    with pytest.raises(TraceError, match="max_model_len"):
        make_stress_test(make_study(), folder=tmp_path / "trial").run(GOOD, giant, 1)
