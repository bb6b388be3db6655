"""Searches on all cores, as Ray tasks; every finished run is kept at once."""

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ray

from benchmarks.comparison.algorithms import ALGORITHMS
from benchmarks.comparison.peer_process import PeerEnvironment
from benchmarks.comparison.run import Run, Task
from benchmarks.comparison.search import search
from benchmarks.comparison.service import Service

Work = tuple[Task, Service]


def run_all(
    work: Sequence[Work], environment: PeerEnvironment, *, num_workers: int, commit: str
) -> Iterator[Run]:
    """Run every task and yield each run as soon as it is there, in any order.

    Never more tasks are handed out than there are workers, so that an interruption loses little.

    Raises:
        UserError: If a search cannot be run at all.
    """
    waiting = list(reversed(work))
    with _local_ray(num_workers):
        running: list[Any] = []
        while waiting or running:
            while waiting and len(running) < num_workers:
                task, service = waiting.pop()
                running.append(_search.remote(task.__dict__, service, environment.python, commit))
            [done], running = ray.wait(running)
            yield Run.from_json(_result(done))


# Ray kills workers when memory runs short; a search made again comes out the same.
@ray.remote(num_cpus=1, max_retries=2)
def _search(
    task: dict[str, Any], service: Service, peers_python: Path, commit: str
) -> dict[str, Any]:
    named = Task(**task)
    environment = PeerEnvironment(peers_python)
    return search(named, service, ALGORITHMS[named.algorithm], environment, commit).to_json()


def _result(reference: Any) -> dict[str, Any]:
    try:
        result: dict[str, Any] = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    return result


@contextlib.contextmanager
def _local_ray(num_workers: int) -> Iterator[None]:
    # A local Ray asks for a token of its own accord: good, and no news.
    name = "ray._private.authentication.authentication_token_setup"
    logging.getLogger(name).setLevel(logging.ERROR)
    # What Ray will do by default, without its warning.
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    ray.init(
        address="local",
        num_cpus=num_workers,
        num_gpus=0,
        include_dashboard=False,
        logging_level=logging.WARNING,
        log_to_driver=False,
    )
    try:
        yield
    finally:
        ray.shutdown()
