"""From no worker to the nodes that a study's bundles need, and back: Ray's autoscaler, locally.

    python -m benchmarks.autoscaling

A head with Ray's autoscaler (v2) and its fake provider, whose nodes are further raylets on this
machine. A simulated study with trials of several sizes is run on it; the log says which nodes there
were, and when.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from ray.exceptions import RayError

IDLE_TIMEOUT_S = 6.0
LIMIT_S = 500.0
NODE_GPUS = (1, 4)
HEAD_ID = "f" * 51 + "00000"  # what the fake provider takes for the head
# Ray fills these in for its own providers, and expects them of an external one.
COMMANDS = (
    *("initialization_commands", "setup_commands", "head_setup_commands"),
    *("worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands"),
    *("cluster_synced_files", "rsync_exclude", "rsync_filter"),
)
ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_FAKE_CLUSTER": "1",
    "RAY_enable_autoscaler_v2": "1",
    "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD_ID,
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
}


@dataclass(frozen=True)
class Change:
    """Say which nodes there were from `at_s` on, by their GPUs."""

    at_s: float
    nodes: tuple[int, ...]


def main() -> None:
    """Run a study on a cluster without workers, and print the log of its nodes."""
    for change in watch_study():
        sys.stdout.write(f"{change.at_s:6.1f} s  nodes with GPUs: {list(change.nodes)}\n")
        sys.stdout.flush()


def watch_study() -> Iterator[Change]:
    """Run the study, and yield each change of the nodes until none is left.

    Raises:
        TimeoutError: If the study does not end, or nodes stay.
        RuntimeError: If the study fails.
    """
    with (
        tempfile.TemporaryDirectory(prefix="as-", dir="/tmp") as folder,
        autoscaled_head(Path(folder)) as address,
    ):
        yield from _watch(Path(folder), address)


@contextlib.contextmanager
def autoscaled_head(folder: Path) -> Iterator[str]:
    """Hold a head whose autoscaler can add nodes of each of `NODE_GPUS`; yield its address."""
    port = _free_port()
    address = f"127.0.0.1:{port}"
    config = folder / "cluster.yaml"
    config.write_text(yaml.safe_dump(_cluster(address)))
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    command += ["--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=0", "--num-gpus=0"]
    command += [f"--temp-dir={folder / 'r'}", f"--autoscaling-config={config}"]
    command += ["--include-dashboard=false", f"--dashboard-port={_free_port()}"]
    command += ["--object-store-memory=100000000", "--disable-usage-stats"]
    with (folder / "head.log").open("wb") as log:
        head = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT}, stdout=log, stderr=log)
    try:
        yield address
    finally:
        head.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            head.wait(20)
        _kill_all(str(folder))


def _watch(folder: Path, address: str) -> Iterator[Change]:
    started_at_s = time.monotonic()
    nodes = _Nodes(address)
    yield Change(0.0, last := nodes.gpus())
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump(_study()))
    command = [sys.executable, "-m", "scoot_ray", "tune", str(study)]
    command += ["--output", str(folder / "out"), "--address", address]
    with (folder / "tune.log").open("wb") as log:
        driver = subprocess.Popen(
            command, env={**os.environ, **ENVIRONMENT}, stdout=log, stderr=log
        )
    try:
        while driver.poll() is None or last:
            now_s = time.monotonic() - started_at_s
            if now_s > LIMIT_S:
                raise TimeoutError(f"after {LIMIT_S:g} s: {(folder / 'tune.log').read_text()}")
            if (now := nodes.gpus()) != last:
                yield Change(now_s, last := now)
            time.sleep(0.25)
    finally:
        driver.kill()
        status = driver.wait()
    if status:
        raise RuntimeError((folder / "tune.log").read_text())


class _Nodes:
    """Ask the head which nodes are alive."""

    def __init__(self, address: str) -> None:
        from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled

        deadline_s = time.monotonic() + 60
        while True:
            with contextlib.suppress(RuntimeError, RayError):
                self._client = GcsClient(address=address)
                self.gpus()
                return
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"No head answers at {address}.")
            time.sleep(0.5)

    def gpus(self) -> tuple[int, ...]:
        """Return the GPUs of each living node that has any."""
        alive = 0  # GcsNodeInfo.ALIVE
        infos = self._client.get_all_node_info().values()
        found = [int(i.resources_total.get("GPU", 0)) for i in infos if i.state == alive]
        return tuple(sorted(count for count in found if count))


def _study() -> Mapping[str, Any]:
    sizes = {"low": 1, "high": 4, "log2": True}
    return {
        "name": "autoscaled",
        "engine": {
            "kind": "simulated",
            "model": "meta-llama/Llama-2-7b-hf",
            "fixed": {"max_model_len": 4096},
        },
        "service": {"num_gpus": 4, "accelerator": "A100-80GB"},
        "workload": {"trace": "synthetic:bot", "request_rate_rps": 8, "duration_s": 20},
        "space": {"parameters": {"tensor_parallel_size": sizes}},
        "search": {"algorithm": "random", "observations": 6, "parallelism": 3},
        "confirm": {"repeats": 0},
        "placement": {"autoscaler": {"node_gpus": max(NODE_GPUS), "max_nodes": 2}},
        "simulator": {"pace": 0.05},
    }


def _cluster(address: str) -> Mapping[str, Any]:
    provider = {
        "type": "external",
        "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
        "launch_multiple": True,
        "head_node_id": HEAD_ID,
        "gcs_address": address,
    }
    workers = {
        f"gpus-{count}": {
            "resources": {"CPU": count, "GPU": count},
            "node_config": {},
            "min_workers": 0,
            "max_workers": 2,
        }
        for count in NODE_GPUS
    }
    head = {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}
    return {
        "cluster_name": "local",
        "max_workers": 2 * len(NODE_GPUS),
        "provider": provider,
        "auth": {},
        "available_node_types": {"ray.head.default": head, **workers},
        "head_node_type": "ray.head.default",
        "upscaling_speed": 9999,
        "idle_timeout_minutes": IDLE_TIMEOUT_S / 60,
        "file_mounts": {},
        **{name: [] for name in COMMANDS},
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _kill_all(mark: str) -> None:
    """End the processes that fake nodes leave behind, found by the folder they were given."""
    for process in psutil.process_iter(["cmdline"]):
        if any(mark in word for word in process.info["cmdline"] or []):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


if __name__ == "__main__":
    main()
