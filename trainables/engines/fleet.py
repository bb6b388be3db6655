"""All replicas of a service side by side, as one engine."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.adapter import Adapter
from trainables.engines.endpoint import Endpoint
from trainables.engines.engine import Engine
from trainables.engines.server import EngineServer
from trainables.failure import FailureRule
from trainables.replicas import Replicas

# By which each maker's libraries, and Ray, tell a process its devices.
DEVICE_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


class Fleet:
    """Start and stop several servers; one that dies takes the trial with it.

    Args:
        servers: At least one.
        folder: Of the trial; `engine.log` is what all of them wrote, one after the other.
    """

    def __init__(self, servers: Sequence[Engine], folder: Path) -> None:
        self._servers = servers
        self._folder = folder

    @property
    def log(self) -> Path:
        """The file with everything that the servers have printed so far."""
        path = self._folder / "engine.log"
        logs = [server.log.read_bytes() for server in self._servers if server.log.exists()]
        path.write_bytes(b"".join(logs))
        return path

    @property
    def failure_rules(self) -> Sequence[FailureRule]:
        """What the servers' logs say when a known failure happens."""
        return self._servers[0].failure_rules

    async def start(self, config: Config) -> Endpoint:
        """Launch all servers and return at once, with every address behind one endpoint."""
        first, *others = [await server.start(config) for server in self._servers]
        return first.beside(others)

    async def wait_exit(self) -> int | None:
        """Return the exit status of the first server that ends."""
        exits = [asyncio.ensure_future(server.wait_exit()) for server in self._servers]
        try:
            done, _ = await asyncio.wait(exits, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in exits:
                task.cancel()

    async def stop(self) -> None:
        """End all servers.

        Raises:
            InfrastructureError: If processes are left; the other servers are ended all the same.
        """
        ends = await asyncio.gather(
            *(server.stop() for server in self._servers), return_exceptions=True
        )
        _ = self.log  # as they left it
        for end in ends:
            if isinstance(end, BaseException):
                raise end


def make_servers(adapter: Adapter, study: Study, replicas: Replicas, folder: Path) -> Engine:
    """Return the one server of a trial, or the fleet of them, each with its own devices."""
    if replicas.num_replicas == 1:
        return EngineServer(adapter, study, folder)
    servers = []
    for number, env in enumerate(devices_of_each(replicas, os.environ)):
        own_folder = folder / f"replica-{number}"
        own_folder.mkdir(parents=True, exist_ok=True)
        servers.append(EngineServer(adapter, study, own_folder, replica=number, env=env))
    return Fleet(servers, folder)


def devices_of_each(replicas: Replicas, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """Divide the trial's devices among its replicas.

    Outside of Ray, which names them, the trial's devices are the first of the machine.
    """
    size, total = replicas.num_gpus_each, replicas.num_gpus
    named = {
        name: names
        for name in DEVICE_VARIABLES
        if len(names := environment.get(name, "").split(",")) == total and all(names)
    }
    devices = named or {DEVICE_VARIABLES[0]: [str(number) for number in range(total)]}
    starts = range(0, total, size)
    return [
        {name: ",".join(names[start : start + size]) for name, names in devices.items()}
        for start in starts
    ]
