"""Studies as Ray jobs: submitted, followed, stopped, through a cluster's dashboard address."""

import contextlib
import os
import shlex
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from cluster.parcel import STUDY, pack
from scoot_ray.core.errors import ClusterError
from scoot_ray.core.study import Study

STOP_WAIT_S = 40
"""Ray kills a job 3 s after asking it to stop; a study may write its report first."""
POLL_S = 0.5


@dataclass(frozen=True)
class Jobs:
    """Speak with the jobs of one cluster.

    Attributes:
        client: Ray's own client; it holds the token.
        address: The cluster's, for messages.
    """

    client: JobSubmissionClient
    address: str

    @classmethod
    def at(cls, address: str, token: str | None) -> "Jobs":
        """Connect.

        Args:
            address: `http://HEAD:8265`, or https.
            token: The cluster's token; None if it has none, or if RAY_AUTH_MODE=token makes Ray
                look for it.

        Raises:
            ClusterError: If nothing answers, or the token is not accepted.
        """
        if not address.startswith(("http://", "https://")):
            raise ClusterError(
                f"--address {address}: expected the dashboard's address, such as "
                "http://HEAD:8265, which is not the address that drivers join."
            )
        headers = {"Authorization": f"Bearer {token}"} if token else None
        with _as_cluster_error(address):
            return cls(JobSubmissionClient(address, headers=headers), address)

    def submit(
        self, study: Study, arguments: Sequence[str], runtime_env: Mapping[str, Any], output: str
    ) -> str:
        """Submit `scoot tune` for a study and return the job's name.

        Args:
            study: The study; it is brought along with the local files that it names.
            arguments: Further arguments of `scoot tune`.
            runtime_env: What the nodes need beyond our packages: `pip`, `env_vars` and the like.
            output: Where the results go, for the job's metadata.
        """
        command = ["python", "-m", "scoot_ray", "tune", STUDY, "--address", "auto", *arguments]
        env_vars = {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_WAIT_S), "PYTHONUNBUFFERED": "1"}
        env_vars |= runtime_env.get("env_vars", {})
        with tempfile.TemporaryDirectory(prefix="scoot-job-") as folder:
            pack(study, Path(folder))
            environment = {**runtime_env, "env_vars": env_vars, "working_dir": folder}
            with _as_cluster_error(self.address):
                name: str = self.client.submit_job(
                    entrypoint=shlex.join(command),
                    submission_id=f"scoot-{study.name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}",
                    runtime_env=environment,
                    metadata={
                        "study": study.name,
                        "engine": f"{study.engine.kind} {study.engine.model}",
                        "observations": str(study.search.observations),
                        "output": output,
                    },
                )
        return name

    def details(self, name: str) -> JobDetails:
        """Return what Ray knows of a job.

        Raises:
            ClusterError: If there is none of that name.
        """
        with _as_cluster_error(self.address, name):
            return self.client.get_job_info(name)

    def every(self) -> list[JobDetails]:
        """Return the submitted jobs, the oldest first."""
        with _as_cluster_error(self.address):
            jobs = [job for job in self.client.list_jobs() if job.submission_id]
        return sorted(jobs, key=lambda job: job.start_time or 0)

    def logs(self, name: str) -> str:
        """Return all that a job has printed."""
        self.details(name)
        with _as_cluster_error(self.address, name):
            text: str = self.client.get_job_logs(name)
        return text

    async def follow(self, name: str) -> AsyncIterator[str]:
        """Yield what a job prints, as it prints it, until it ends."""
        with _as_cluster_error(self.address, name):
            async for text in self.client.tail_job_logs(name):
                yield text

    def stop(self, name: str) -> JobDetails:
        """Ask a job to stop and wait until it has.

        Raises:
            ClusterError: If it has not when even a killed one would have.
        """
        with _as_cluster_error(self.address, name):
            self.client.stop_job(name)
        return self.wait_for_end(name, STOP_WAIT_S + 30)

    def wait_for_end(self, name: str, timeout_s: float) -> JobDetails:
        """Wait until a job has ended."""
        deadline_s = time.monotonic() + timeout_s
        while not (details := self.details(name)).status.is_terminal():
            if time.monotonic() > deadline_s:
                raise ClusterError(f"{name} is still {details.status} after {timeout_s:g} s.")
            time.sleep(POLL_S)
        return details


def exit_status(details: JobDetails) -> int:
    """Return the exit status of a job's driver; 0 if it succeeded, 1 where Ray does not know."""
    if details.status == JobStatus.SUCCEEDED:
        return 0
    return int(details.driver_exit_code or 1)


def read_token(file: Path | None) -> str | None:
    """Return the cluster's token from a file, or from where Ray's variables say.

    The token that Ray itself keeps in the home folder is another cluster's, as far as we know, so
    it is sent only where RAY_AUTH_MODE=token asks for it.

    Raises:
        ClusterError: If the file cannot be read.
    """
    if file is None and "RAY_AUTH_TOKEN" in os.environ:
        return os.environ["RAY_AUTH_TOKEN"].strip()
    path = file or os.environ.get("RAY_AUTH_TOKEN_PATH")
    if path is None:
        return None
    try:
        return Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterError(f"Cannot read the token file {path}: {error}.") from None


@contextlib.contextmanager
def _as_cluster_error(address: str, name: str | None = None) -> Iterator[None]:
    try:
        yield
    except AuthenticationError as error:
        refused = "failed" in str(error)
        problem = "does not accept this token" if refused else "wants a token"
        raise ClusterError(
            f"{address} {problem}. Give the one that its head has: --token-file FILE, or "
            "RAY_AUTH_TOKEN_PATH, or RAY_AUTH_TOKEN; `ray get-auth-token` on the head prints it."
        ) from None
    except OSError as error:  # requests' and aiohttp's own among them
        raise ClusterError(
            f"Nothing answers at {address} ({error}). It should be the dashboard's address, which "
            "`ray start --head` prints; is the head running, and the port open?"
        ) from None
    except RuntimeError as error:
        if name is not None and "404" in str(error):
            raise ClusterError(f"{address} has no job {name}; see `scoot jobs list`.") from None
        raise ClusterError(f"{address}: {str(error).splitlines()[0]}") from None
