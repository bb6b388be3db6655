"""`scoot jobs`: what was submitted, how it is, and its end."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scoot_ray.cli.printing import print_table
from scoot_ray.report.tables import Table

if TYPE_CHECKING:
    from ray.job_submission import JobDetails

    from cluster.jobs import Jobs

INTERRUPTED = 130
LOG_END_TIMEOUT_S = 60.0

JobsAddress = Annotated[
    str,
    typer.Option(
        metavar="http://HEAD:8265",
        help="The dashboard's address.",
        envvar=["RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"],
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Holds the cluster's token; RAY_AUTH_TOKEN_PATH by default."),
]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="As `scoot submit` printed it.")]

app = typer.Typer(name="jobs", help="Look at submitted studies, and stop them.")


@app.command("list")
def list_jobs(address: JobsAddress, token_file: TokenFile = None) -> None:
    """List all submitted jobs."""
    jobs = connect(address, token_file).every()
    header = ("job", "status", "began", "study", "results")
    print_table(Table("Jobs", header, tuple(_row(job) for job in jobs)))


@app.command()
def status(job: JobName, address: JobsAddress, token_file: TokenFile = None) -> None:
    """Say how a job is."""
    details = connect(address, token_file).details(job)
    sys.stdout.write(f"{details.status.value}: {details.message or ''}\n")


@app.command()
def logs(
    job: JobName,
    address: JobsAddress,
    token_file: TokenFile = None,
    follow: Annotated[bool, typer.Option("--follow", help="Until the job ends.")] = False,
) -> None:
    """Print what a job has printed."""
    jobs = connect(address, token_file)
    if follow:
        raise typer.Exit(follow_to_end(jobs, job))
    sys.stdout.write(jobs.logs(job))


@app.command()
def stop(job: JobName, address: JobsAddress, token_file: TokenFile = None) -> None:
    """Stop a job in good order: submitted again, its study goes on."""
    details = connect(address, token_file).stop(job)
    sys.stdout.write(f"{details.status.value}: {details.message or ''}\n")


def connect(address: str, token_file: Path | None) -> "Jobs":
    """Return the jobs of the cluster at an address."""
    from cluster.jobs import Jobs, read_token

    return Jobs.at(address, read_token(token_file))


def follow_to_end(jobs: "Jobs", name: str) -> int:
    """Print what a job prints until it ends; return its exit status."""
    from cluster.jobs import exit_status

    jobs.details(name)
    try:
        asyncio.run(_print(jobs, name))
        return exit_status(jobs.wait_for_end(name, LOG_END_TIMEOUT_S))
    except KeyboardInterrupt:
        sys.stderr.write(f"scoot: {name} goes on; `scoot jobs logs {name} --follow` shows it\n")
        return INTERRUPTED


async def _print(jobs: "Jobs", name: str) -> None:
    async for text in jobs.follow(name):
        sys.stdout.write(text)
        sys.stdout.flush()


def _row(job: "JobDetails") -> tuple[str, ...]:
    metadata = job.metadata or {}
    began = datetime.fromtimestamp((job.start_time or 0) / 1000, UTC)
    return (
        job.submission_id or "",
        job.status.value,
        f"{began:%Y-%m-%d %H:%M} UTC",
        metadata.get("study", ""),
        metadata.get("output", ""),
    )
