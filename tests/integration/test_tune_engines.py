"""A study of each engine end to end, through real Ray, on the stand-in that speaks its flags."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from tests.integration.studies import scoot, write_study
from tests.stand_in_engine import write_interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STUDIES: dict[str, dict[str, Any]] = {
    "sglang": {"fixed": {"context_length": 4096}, "part": "-m sglang.launch_server"},
    "tensorrt_llm": {"fixed": {"max_seq_len": 4096}, "part": "cat > trtllm_options.yaml"},
}


@pytest.mark.parametrize("replicas", ["one", "all"])
@pytest.mark.parametrize("kind", STUDIES)
def test_a_study_runs_to_its_end(kind: str, replicas: str, tmp_path: Path) -> None:
    expected = STUDIES[kind]
    study = write_study(
        tmp_path,
        engine={
            "kind": kind,
            "python": str(write_interpreter(tmp_path)),
            # One of the two GPUs, so that there are two replicas to start.
            "fixed": {**expected["fixed"], "tensor_parallel_size": 1},
            "startup_timeout_s": 240,
        },
        space={},
        service={"num_gpus": 2, "accelerator": "CPU", "replicas": replicas},
        workload={"request_rate_rps": 5, "duration_s": 1, "select": "all", "warmup_requests": 1},
        search={"observations": 2, "parallelism": 1},
        confirm={"repeats": 1, "finalists": 1},
        drift={"repeats": 0},
    )
    run = scoot("tune", study, "--output", tmp_path / "out", timeout_s=800)
    assert run.returncode == 0, run.stderr
    trials = Journal(tmp_path / "out" / "journal.jsonl").read().trials
    assert len(trials) == 4
    folders = list((tmp_path / "out" / "trials" / "0000").glob("replica-*"))
    assert len(folders) == (2 if replicas == "all" else 0)
    assert trials[0].state is TrialState.COMPLETE
    best = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())
    assert best["measured_by"].endswith("flags of the study")
    exported = scoot("export", tmp_path / "out", "--to", "command")
    assert exported.returncode == 0, exported.stderr
    assert expected["part"] in exported.stdout
