"""Studies submitted to a real head on this machine, with its token and without."""

import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray.job_submission import JobStatus, JobSubmissionClient

from cluster.jobs import Jobs
from scoot_ray.core.errors import ClusterError
from scoot_ray.core.journal import Journal
from tests.integration.studies import command, write_study
from tests.ray_head import ROOT, RayHead, ray_head

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUM_TRIALS = 1 + 6 + 2 + 1
TOKEN = "a-token-of-the-tests-0123456789abcdef"
NO_CHECKOUT = {"PYTHONPATH": ""}  # a job has only what it brought along


@pytest.fixture(scope="module")
def head() -> Iterator[RayHead]:
    with ray_head(num_gpus=4, variables=NO_CHECKOUT) as head:
        yield head


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture(scope="module")
def guarded(token_file: Path) -> Iterator[RayHead]:
    variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token_file)}
    with ray_head(num_gpus=4, variables=NO_CHECKOUT | variables) as head:
        yield head


def scoot(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=600, check=False, **options
    )


def write_long_study(folder: Path) -> Path:
    """Write a study with a trace of its own that takes long enough to be stopped."""
    folder.mkdir(exist_ok=True)
    (folder / "mine.csv").write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        + "".join(f"2023-11-16 18:00:{s:02}.000000,100,20\n" for s in range(60))
    )
    return write_study(
        folder, workload={"trace": "mine.csv"}, search={"observations": 400, "parallelism": 2}
    )


def wait_for_trials(journal: Journal, num_trials: int) -> None:
    deadline_s = time.monotonic() + 300
    while not (journal.exists() and len(journal.read().trials) >= num_trials):
        assert time.monotonic() < deadline_s, "the job does not get on"
        time.sleep(0.2)


def require_whole(journal: Journal) -> None:
    assert journal.path.read_bytes().endswith(b"\n")
    finished = [e["number"] for e in journal.entries() if e["kind"] == "trial"]
    assert len(finished) == len(set(finished)), "run twice"


def test_a_study_is_submitted_followed_and_listed(head: RayHead, tmp_path: Path) -> None:
    study = write_study(tmp_path)
    at = ("--address", head.dashboard)
    run = scoot("submit", study, *at, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{NUM_TRIALS}/{NUM_TRIALS}" in run.stdout
    assert len(Journal(tmp_path / "out" / "journal.jsonl").read().trials) == NUM_TRIALS
    assert (tmp_path / "out" / "report.html").exists()

    name = run.stdout.split()[1].rstrip(";")
    assert "SUCCEEDED" in scoot("jobs", "status", name, *at).stdout
    assert f"{NUM_TRIALS}/{NUM_TRIALS}" in scoot("jobs", "logs", name, *at).stdout
    listed = scoot("jobs", "list", *at).stdout
    assert name in listed
    assert "small" in listed
    unknown = scoot("jobs", "status", "nobody", *at)
    assert unknown.returncode == 2
    assert "has no job nobody" in unknown.stderr


def test_a_job_that_is_stopped_goes_on_when_it_is_submitted_again(
    head: RayHead, tmp_path: Path
) -> None:
    study = write_long_study(tmp_path)
    output = tmp_path / "out"
    journal = Journal(output / "journal.jsonl")
    at = ("--address", head.dashboard)
    submit = ("submit", study, *at, "--output", output, "--no-wait")
    for _ in range(2):
        # More than there are: a job that is stopped sooner has not begun to print.
        num_before = len(journal.read().trials) if journal.exists() else 0
        name = scoot(*submit).stdout.split()[1].rstrip(";")
        wait_for_trials(journal, num_before + 3)
        stopped = scoot("jobs", "stop", name, *at)
        assert "STOPPED" in stopped.stdout, stopped.stdout + stopped.stderr
        require_whole(journal)
        assert (output / "report.html").exists(), "it was killed before it had ended"
        assert "somebody asked for it" in scoot("jobs", "logs", name, *at).stdout
    kinds = [entry["kind"] for entry in journal.entries()]
    assert kinds.count("study") == 1
    assert kinds.count("resume") == 1


def test_by_hand_the_same_and_three_seconds_are_enough(head: RayHead, tmp_path: Path) -> None:
    study = write_long_study(tmp_path)
    output = tmp_path / "out"
    tune = ["python", "-m", "scoot_ray", "tune", study, "--address", "auto", "--output", output]
    client = JobSubmissionClient(head.dashboard)
    job = client.submit_job(
        entrypoint=shlex.join(map(str, tune)),
        runtime_env={
            "working_dir": str(ROOT),
            "excludes": [".git", ".venv*", "runs", "benchmarks"],
        },
    )
    journal = Journal(output / "journal.jsonl")
    wait_for_trials(journal, 3)
    client.stop_job(job)
    assert Jobs(client, head.dashboard).wait_for_end(job, 60).status == JobStatus.STOPPED
    require_whole(journal)
    num_before = len(journal.read().trials)
    resumed = client.submit_job(
        entrypoint=shlex.join(map(str, [*tune, "--resume"])),
        runtime_env={
            "working_dir": str(ROOT),
            "excludes": [".git", ".venv*", "runs", "benchmarks"],
        },
    )
    wait_for_trials(journal, num_before + 2)
    client.stop_job(resumed)
    require_whole(journal)


def test_a_head_with_a_token_wants_it_and_nobody_prints_it(
    guarded: RayHead, token_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    study = write_study(tmp_path)
    submit = ("submit", study, "--address", guarded.dashboard, "--output", tmp_path / "out")
    without = scoot(*submit)
    assert without.returncode == 2
    assert "wants a token" in without.stderr
    wrong = tmp_path / "wrong"
    wrong.write_text("another-token-of-the-tests-0123456789")
    refused = scoot(*submit, "--token-file", wrong)
    assert refused.returncode == 2
    assert "does not accept this token" in refused.stderr
    run = scoot(*submit, "--token-file", token_file)
    assert run.returncode == 0, run.stdout + run.stderr
    printed = "".join(r.stdout + r.stderr for r in (without, refused, run))
    kept = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert TOKEN not in printed
    assert TOKEN.encode() not in kept
    assert "another-token" not in printed


def test_where_nothing_answers() -> None:
    with pytest.raises(ClusterError, match=r"Nothing answers at http://127\.0\.0\.1:9"):
        Jobs.at("http://127.0.0.1:9", None)
    with pytest.raises(ClusterError, match="the dashboard's address"):
        Jobs.at("ray://127.0.0.1:10001", None)


def test_following_can_be_left_and_the_job_goes_on(head: RayHead, tmp_path: Path) -> None:
    study = write_long_study(tmp_path)
    at = ("--address", head.dashboard)
    argv = command("submit", study, *at, "--output", tmp_path / "out")
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        assert follower.stderr is not None
        name = follower.stdout.readline().split()[1].rstrip(";")
        wait_for_trials(Journal(tmp_path / "out" / "journal.jsonl"), 2)
        follower.send_signal(signal.SIGINT)
        _, errors = follower.communicate(timeout=300)
    assert "goes on" in errors
    assert "RUNNING" in scoot("jobs", "status", name, *at).stdout
    scoot("jobs", "stop", name, *at)
