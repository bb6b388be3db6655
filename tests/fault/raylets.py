"""A Ray cluster of several raylets on this machine, whose nodes die in every way there is."""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

import psutil

from tests.ports import free_port

HEALTH_CHECKS = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 3,
}
NO_TRIALS = ("ray::IDLE", "ray::DashboardAgent", "ray::RuntimeEnvAgent")
STORE_BYTES = 100 * 2**20
PREEMPTION = 2  # DrainNodeReason.DRAIN_NODE_REASON_PREEMPTION


class Raylets:
    """Start a head without GPUs, and nodes with logical ones; end all of them in the end."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        # A folder and a port of its own, so that no other Ray of this machine is disturbed.
        self._folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # Ray's sockets want it short
        head = {
            "temp_dir": self._folder,
            "dashboard_port": free_port(),
            "num_cpus": 0,
            "num_gpus": 0,
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "_system_config": HEALTH_CHECKS,
        }
        self._cluster: Any = Cluster(initialize_head=True, connect=False, head_node_args=head)
        self.address: str = self._cluster.address
        self.nodes: list[Any] = []

    def add_node(self, num_gpus: int = 2, env: Mapping[str, str] | None = None) -> Any:
        """Start a node, with as many CPUs as GPUs."""
        node = self._cluster.add_node(
            num_cpus=num_gpus,
            num_gpus=num_gpus,
            object_store_memory=STORE_BYTES,
            temp_dir=self._folder,
            env_vars=dict(env or {}),
            wait=False,
        )
        self.nodes.append(node)
        return node

    def kill(self, node: Any, number: signal.Signals) -> None:
        """Send a signal to a node's raylet."""
        self.nodes.remove(node)
        with contextlib.suppress(ProcessLookupError):
            os.kill(raylet_of(node), number)

    def drain(self, node: Any, notice_s: float) -> None:
        """Announce that a node will be taken back."""
        from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled

        deadline_ms = int(1000 * (time.time() + notice_s))
        GcsClient(address=self.address).drain_node(node.node_id, PREEMPTION, "spot", deadline_ms)

    def workers(self) -> list[psutil.Process]:
        """List the processes of running trials."""
        found = []
        for node in self.nodes:
            with contextlib.suppress(psutil.NoSuchProcess):
                found += psutil.Process(raylet_of(node)).children()
        return [process for process in found if _is_trial(process)]

    def kill_head(self) -> None:
        """Kill the head with everything that runs on it."""
        for processes in self._cluster.head_node.all_processes.values():
            for info in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(info.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End every node."""
        self._cluster.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def raylets() -> Iterator[Raylets]:
    """Hold a cluster of raylets."""
    cluster = Raylets()
    try:
        yield cluster
    finally:
        cluster.close()


def raylet_of(node: Any) -> int:
    """Return the process id of a node's raylet."""
    return int(node.all_processes["raylet"][0].process.pid)


def _is_trial(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return title.startswith("ray::") and not title.startswith(NO_TRIALS)
    return False
