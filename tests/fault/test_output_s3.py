"""An output in S3 survives the machine: the driver is killed, and another one goes on."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoot_ray.core.object_store import ObjectStore
from tests.integration.studies import command, write_study
from tests.ports import free_port
from tests.s3_server import BUCKET, s3_server

pytestmark = [pytest.mark.slow, pytest.mark.s3, pytest.mark.timeout(900)]
NUM_TRIALS = 1 + 6 + 2 + 1
URI = f"s3://{BUCKET}/nightly/small"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with s3_server(free_port()) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield ObjectStore(URI)


def trials_in(store: ObjectStore) -> list[int]:
    text = store.read("journal.jsonl") or b""
    entries = [json.loads(line) for line in text.splitlines()]
    return [entry["number"] for entry in entries if entry["kind"] == "trial"]


def machine(folder: Path) -> dict[str, str]:
    """Return the environment of a machine that has seen nothing."""
    return {**os.environ, "XDG_CACHE_HOME": str(folder)}


def test_a_study_goes_on_on_another_machine(store: ObjectStore, tmp_path: Path) -> None:
    # The trace is in the bucket, too.
    trace = b"TIMESTAMP,ContextTokens,GeneratedTokens\n" + b"".join(
        b"2023-11-16 18:00:%02d.000000,100,20\n" % second for second in range(60)
    )
    store.write("mine.csv", trace)
    study = write_study(tmp_path, workload={"trace": f"{URI}/mine.csv"}, search={"parallelism": 1})
    argv = command("tune", study, "--output", URI, "--begin-or-resume")
    first = subprocess.Popen(argv, env=machine(tmp_path / "one"), start_new_session=True)
    deadline_s = time.monotonic() + 300
    while len(trials_in(store)) < 3:
        assert first.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = trials_in(store)
    assert len(before) < NUM_TRIALS, "the study ended before it was killed"

    second = subprocess.run(
        argv,
        env=machine(tmp_path / "two"),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert second.returncode == 0, second.stdout + second.stderr
    after = trials_in(store)
    assert after[: len(before)] == before
    assert sorted(after) == list(range(len(after))), "lost, or run twice"
    assert URI in second.stdout
    for name in ("report.html", "best.yaml", "running.txt"):
        assert store.read(name)
    secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    assert secret not in (store.read("journal.jsonl") or b"")

    reported = subprocess.run(
        command("report", URI), env=machine(tmp_path / "three"), capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert reported.returncode == 0, reported.stdout + reported.stderr
