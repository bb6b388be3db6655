"""`replicas: all`: every replica is started on its own devices, and gets its part of the load."""

import json
from pathlib import Path

import pandas as pd
import pytest

from scoot_ray.core.outcome import TrialState
from scoot_ray.core.study import Study
from tests.processes import wait_for_number
from tests.stand_in_engine import write_interpreter
from tests.unit.trainables.served_studies import served_study, small_trace
from trainables.backend import make_stress_test
from trainables.engines.fleet import devices_of_each
from trainables.replicas import Replicas, replicas_of

ONE = {"tensor_parallel_size": 1}


def fleet_study(folder: Path, kind: str = "vllm", fault: str = "") -> Study:
    model = folder / "model"
    model.mkdir()
    (model / "config.json").write_text(
        '{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 512,'
        ' "intermediate_size": 128, "max_position_embeddings": 4096}'
    )
    study = served_study(
        write_interpreter(folder),
        model=str(model),
        env={"STAND_IN_FAULT": fault, "STAND_IN_FAULTY_FROM": "3", "STAND_IN_TTFT_S": "0.1"},
        startup_timeout_s=120.0,
    )
    engine = study.engine.model_copy(update={"kind": kind, "fixed": {}})
    service = study.service.model_copy(update={"replicas": "all"})
    return study.model_copy(update={"engine": engine, "service": service})


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_all_replicas_share_the_whole_load(tmp_path: Path, kind: str) -> None:
    study = fleet_study(tmp_path, kind)
    assert replicas_of(study, ONE) == Replicas(2, 1, share=1.0)
    folder = tmp_path / "trial"
    outcome = make_stress_test(study, folder=folder).run(ONE, small_trace(), seed=1)
    assert outcome.state is TrialState.COMPLETE, outcome.failure
    assert wait_for_number(study.engine.model, 0, 0.0) == []
    table = pd.read_parquet(folder / "requests.parquet")
    assert outcome.metrics["num_requests"] == len(table) == pytest.approx(40, abs=20)
    served = [int(json.loads(path.read_text())) for path in folder.glob("replica-*/served.json")]
    assert len(served) == 2
    assert min(served) > 5
    assert (folder / "engine.log").exists()


def test_one_dead_replica_is_the_end_of_the_trial(tmp_path: Path) -> None:
    study = fleet_study(tmp_path, fault="die")
    outcome = make_stress_test(study, folder=tmp_path / "trial").run(ONE, small_trace(), seed=1)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.cause == "out_of_memory"
    assert wait_for_number(study.engine.model, 0, 0.0) == []


def test_devices_are_divided_as_ray_names_them() -> None:
    replicas = Replicas(2, 2, share=1.0)
    assert devices_of_each(replicas, {"CUDA_VISIBLE_DEVICES": "4,5,6,7"}) == [
        {"CUDA_VISIBLE_DEVICES": "4,5"},
        {"CUDA_VISIBLE_DEVICES": "6,7"},
    ]
    assert devices_of_each(replicas, {"HIP_VISIBLE_DEVICES": "a,b,c,d"})[1] == {
        "HIP_VISIBLE_DEVICES": "c,d"
    }
    assert devices_of_each(replicas, {})[1] == {"CUDA_VISIBLE_DEVICES": "2,3"}
