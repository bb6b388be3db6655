"""One trial each on the real vLLM, CPU build: complete, refused, misspelt, killed.

`SCOOT_VLLM_PYTHON` names an interpreter that has vLLM and safetensors; the default is the one
that `make demo-vllm` sets up.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.study import Study, parse_study
from tests.processes import wait_for_number
from tests.unit.trainables.served_studies import small_trace
from trainables.backend import make_stress_test
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("SCOOT_VLLM_PYTHON", ROOT / ".venv-vllm/bin/python"))

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason=f"{PYTHON} is not there: run `make demo-vllm`, or set SCOOT_VLLM_PYTHON",
    ),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    script = ROOT / "examples" / "write_tiny_llama.py"
    subprocess.run([PYTHON, script, folder], check=True, timeout=120)
    return folder


def study_of(model: Path) -> Study:
    return parse_study(
        {
            "name": "tiny",
            "engine": {
                "kind": "vllm",
                "model": str(model),
                "python": str(PYTHON),
                "fixed": {"max_model_len": 4096, "enforce_eager": True},
                "env": {"VLLM_CPU_KVCACHE_SPACE": "1"},
            },
            "service": {"num_gpus": 2, "accelerator": "CPU"},
            "workload": {
                "trace": "synthetic:bot",
                "request_rate_rps": 8,
                "duration_s": 6,
                "request_timeout_s": 60,
            },
        }
    )


def run_trial(model: Path, folder: Path, **config: Any) -> Outcome:
    test = make_stress_test(study_of(model), folder=folder / "trial")
    outcome = test.run({"tensor_parallel_size": 1, **config}, small_trace(), seed=1)
    assert wait_for_number(str(model), 0, 0.0) == []
    return outcome


@pytest.mark.parametrize("tensor_parallel_size", [1, 2])
def test_a_good_configuration_is_measured(
    model: Path, tmp_path: Path, tensor_parallel_size: int
) -> None:
    outcome = run_trial(model, tmp_path, tensor_parallel_size=tensor_parallel_size)
    assert outcome.state is TrialState.COMPLETE, outcome.failure
    metrics = outcome.metrics
    assert metrics["num_failed"] == 0
    assert metrics["num_completed"] > 0
    assert 0 < metrics["tpot_mean_s"] < metrics["ttft_mean_s"] < metrics["latency_mean_s"] < 60
    assert 0 < metrics["throughput_rps"] < 50
    assert (tmp_path / "trial" / "requests.parquet").exists()


def test_a_refused_configuration_is_infeasible(model: Path, tmp_path: Path) -> None:
    outcome = run_trial(model, tmp_path, max_num_seqs=512, max_num_batched_tokens=128)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert (outcome.failure.phase, outcome.failure.cause) == (
        Phase.START,
        "batched_tokens_too_small",
    )
    assert any("max_num_batched_tokens (128)" in line for line in outcome.failure.log_tail)


def test_a_worker_that_dies_is_infeasible(model: Path, tmp_path: Path) -> None:
    outcome = run_trial(model, tmp_path, block_size=16)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.failure is not None
    assert outcome.failure.cause == "unsupported_block_size"
    assert any("No common block size" in line for line in outcome.failure.log_tail)


def test_a_wrong_flag_stops_the_study(model: Path, tmp_path: Path) -> None:
    outcome = run_trial(model, tmp_path, scheduler_delay_factor=0.5)
    assert outcome.state is TrialState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.fatal
    assert any("unrecognized arguments" in line for line in outcome.failure.log_tail)


def test_the_installed_engine_knows_its_flags() -> None:
    installed = Vllm().installed(str(PYTHON))
    installed.require_known(["max_num_seqs", "block_size", "enable_chunked_prefill"])
    assert installed.version.startswith("0.")


TRIAL = """
import asyncio, sys
from pathlib import Path
from tests.integration.test_vllm import serve
asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
"""


async def serve(model: Path, folder: Path) -> None:
    """Start vLLM, say so, and wait to be killed."""
    engine = EngineServer(Vllm(), study_of(model), folder)
    endpoint = await engine.start({"tensor_parallel_size": 2})
    await endpoint.wait_until_healthy()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.sleep(600)


def test_nothing_of_vllm_outlives_a_trial_that_is_killed(model: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TRIAL, str(model), str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as trial:
        assert trial.stdout is not None
        assert trial.stdout.readline() == b"ready\n"
        # The trial, two guards and the server name the model on their command lines.
        marked = wait_for_number(str(model), 4, 5.0)
        (server,) = [process for process in marked if process.cmdline()[0] == str(PYTHON)]
        # Its workers rename themselves, so they are found by descent while it lives.
        family = [server, *server.children(recursive=True)]
        assert len(family) >= 3
        trial.kill()
        gone, left = psutil.wait_procs(family, timeout=10)
    assert left == []
    assert len(gone) == len(family)
