"""`engine.kind: openai`: a server that is up already is measured over real HTTP, and not tuned."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.studies import STUDY, command, scoot, write_study
from tests.ports import free_port

pytestmark = pytest.mark.slow

KEY_VARIABLE = "SCOOT_TEST_SERVER_KEY"
KEY = "sk-do-not-write-me"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the simulator on a TCP port, as a process of its own."""
    folder = tmp_path_factory.mktemp("served")
    port = free_port()
    study = write_study(folder, service={"num_gpus": 1, "accelerator": "L40S"})
    arguments = ("simulate", study, "--serve", "--port", port)
    with subprocess.Popen(command(*arguments), stderr=sys.stderr) as process:
        url = f"http://127.0.0.1:{port}/v1"
        wait_for(f"{url}/models")
        yield url
        process.terminate()


def wait_for(url: str, limit_s: float = 120.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer for {limit_s} s")


def write_openai_study(folder: Path, **engine: object) -> Path:
    return write_study(
        folder,
        engine={**STUDY["engine"], "kind": "openai", **engine},
        space={},
        service={"num_gpus": 1, "accelerator": "L40S"},
        workload={"request_rate_rps": 4, "duration_s": 3, "select": "all"},
    )


def test_stress_measures_a_server_that_is_up(
    base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    study = write_openai_study(tmp_path, base_url=base_url, api_key_env=KEY_VARIABLE)
    run = scoot("stress", study, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert "throughput_rps" in run.stdout
    table = pd.read_parquet(tmp_path / "out" / "requests.parquet")
    assert len(table) > 3
    assert table["error"].isna().all()
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in content for content in [*written, run.stdout.encode()])


def test_tune_refuses_it(base_url: str, tmp_path: Path) -> None:
    run = scoot("tune", write_openai_study(tmp_path, base_url=base_url), "--output", tmp_path / "o")
    assert run.returncode == 2
    assert "leaves nothing to tune. `scoot stress` measures the engine as it is." in run.stderr
    assert not (tmp_path / "o" / "journal.jsonl").exists()


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ({}, "engine.base_url: is missing"),
        ({"base_url": "http://127.0.0.1:9", "api_key_env": "SCOOT_NO_SUCH_KEY"}, "is not set"),
        ({"base_url": "http://127.0.0.1:9"}, "/v1/models does not answer with status 200"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, engine: dict[str, str], message: str) -> None:
    run = scoot("stress", write_openai_study(tmp_path, **engine), "--output", tmp_path / "out")
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
