"""Joining a Ray cluster, or starting one on this machine for the length of a study."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import ray

from scoot_ray.core.errors import ClusterError

_TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the journal is our log; 1.6 s less at the start
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a trial may have no metric: it was infeasible
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # cluster.interruption has one
    "RAY_AIR_NEW_OUTPUT": "0",  # the progress lines are ours
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # every loss is told to us, and retried by us
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray will do by default, without its warning
}

_NEEDLESS_WARNINGS = (
    "ray.tune.analysis.experiment_analysis",  # misses Tune's result files: we have a journal
    "ray._private.authentication.authentication_token_setup",  # a local Ray asks for a token: good
)


@contextlib.contextmanager
def connect(address: str, *, parallelism: int, logical_gpus: int | None) -> Iterator[None]:
    """Hold a connection to Ray.

    Args:
        address: "local" starts Ray here; "auto" or "ray://..." joins a cluster.
        parallelism: Trials at once; a local Ray offers at least as many logical CPUs.
        logical_gpus: GPUs that a local Ray counts without having them; None to detect real ones.

    Raises:
        ClusterError: If there is no cluster at `address`.
    """
    os.environ.update(_TUNE_SETTINGS)
    for name in _NEEDLESS_WARNINGS:
        logging.getLogger(name).setLevel(logging.ERROR)
    local: dict[str, Any] = {}
    if address == "local":
        # CPUs are logical: one per concurrent trial, or a small machine would serialise them.
        local = {"num_cpus": max(os.cpu_count() or 1, parallelism), "num_gpus": logical_gpus}
    try:
        ray.init(address=address, logging_level=logging.WARNING, log_to_driver=False, **local)
    except (ConnectionError, ValueError) as error:
        raise ClusterError(
            f"No Ray cluster answers at {address!r} ({error}). Start one with `ray start --head`, "
            "give its address, or leave --address out to run here."
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def limit_pending(num_trials: int) -> None:
    """Let Ray Tune ask for the bundles of at most `num_trials` trials ahead of their start."""
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(num_trials)
