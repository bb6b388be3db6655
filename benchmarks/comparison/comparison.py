"""A comparison from its settings to its runs, which are kept in a file and never run twice."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison.algorithms import PEERS
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.run import Run, Task
from benchmarks.comparison.service import Service
from benchmarks.result_file import current_commit
from scoot_ray.core.display import format_duration
from scoot_ray.core.journal import Journal

Note = Callable[[str], None]


@dataclass(frozen=True)
class Comparison:
    """Say what is compared, where the runs are kept and what runs them.

    Attributes:
        folder: Holds `runs.jsonl`, one line for each finished run; a torn last line counts as not
            written, so its run is made again.
        num_workers: Searches at once.
    """

    services: Sequence[Service]
    algorithms: Sequence[str]
    parallelism: Sequence[int]
    num_seeds: int
    observations: int
    folder: Path
    num_workers: int
    environment: PeerEnvironment

    @property
    def journal(self) -> Journal:
        """Where finished runs are kept."""
        return Journal(self.folder / "runs.jsonl")

    def tasks(self) -> dict[Task, Service]:
        """List every search, seed by seed, so that what is there early is paired."""
        return {
            Task(
                service.name, service.rate_rps, algorithm, degree, seed, self.observations
            ): service
            for seed in range(self.num_seeds)
            for degree in self.parallelism
            for service in self.services
            for algorithm in self.algorithms
        }

    def runs(self) -> list[Run]:
        """Read the finished runs of this comparison; the file may hold others."""
        if not self.journal.exists():
            return []
        tasks = self.tasks()
        runs = [Run.from_json(entry) for entry in self.journal.entries()]
        return [run for run in runs if run.task in tasks]

    def run(self, note: Note) -> list[Run]:
        """Make the runs that are missing, and return all of them.

        Raises:
            StudyError: If peers are asked for and their environment is missing.
        """
        # Ray takes seconds to import; tables of finished runs do without it.
        from benchmarks.comparison.ray_pool import run_all

        finished = {run.task for run in self.runs()}
        work = [(task, service) for task, service in self.tasks().items() if task not in finished]
        if any(task.algorithm in PEERS for task, _ in work):
            self.environment.require()
        if finished:
            note(f"{len(finished)} run(s) are there already; {len(work)} to make.")
        started_s = time.monotonic()
        runs = run_all(
            work, self.environment, num_workers=self.num_workers, commit=current_commit()
        )
        for number, run in enumerate(runs if work else (), start=1):
            self.journal.append("run", run.to_json())
            note(_progress(run, number, len(work), time.monotonic() - started_s))
        return self.runs()


def _progress(run: Run, number: int, count: int, elapsed_s: float) -> str:
    task = run.task
    left = format_duration(elapsed_s / number * (count - number))
    name = f"{task.service} {task.algorithm} seed {task.seed}, {task.parallelism} at once"
    return f"[{number}/{count}, about {left} left] {name}: {run.final:.3f}"
