"""One replica of an engine: a server process on this machine, as its adapter describes it."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.adapter import Adapter
from trainables.engines.address import Address
from trainables.engines.compile_cache import cache_environment
from trainables.engines.endpoint import Endpoint
from trainables.engines.gpu_memory import GpuMemory, watched_devices
from trainables.engines.guarded_process import GuardedProcess, inherited_environment
from trainables.engines.last_words import PATIENCE_S, spoken
from trainables.failure import FailureRule
from trainables.spaces import num_gpus_of


class EngineServer:
    """Start and stop one server; its log and working directory are the trial's folder.

    Args:
        adapter: What kind of server.
        study: The study.
        folder: Of the trial; it exists.
        replica: Its number among the replicas of the trial.
        env: Variables of this replica on top of the inherited ones, such as its devices.
    """

    def __init__(
        self,
        adapter: Adapter,
        study: Study,
        folder: Path,
        *,
        replica: int = 0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._adapter = adapter
        self._study = study
        self._folder = folder
        self._replica = replica
        self._env = dict(env or {})
        self._process: GuardedProcess | None = None
        self._address: Address | None = None
        self._memory: GpuMemory | None = None

    @property
    def log(self) -> Path:
        """The file that everything the server prints goes to."""
        return self._folder / "engine.log"

    @property
    def failure_rules(self) -> Sequence[FailureRule]:
        """What the server's log says when a known failure happens."""
        return self._adapter.failure_rules

    async def start(self, config: Config) -> Endpoint:
        """Launch the server and return at once."""
        engine = self._study.engine
        command = self._adapter.launch_command(engine, config)
        for name, content in command.files.items():
            (self._folder / name).write_text(content, encoding="utf-8")
        inherited = inherited_environment() | self._env
        inherited |= cache_environment(self._study.name, inherited)
        num_gpus = num_gpus_of(self._study, config)
        self._memory = GpuMemory(watched_devices(inherited, num_gpus))
        self._address = self._adapter.address(self._replica)
        self._process = await GuardedProcess.start(
            [*command.argv, *self._address.arguments],
            env=self._adapter.environment(self._study, config, inherited),
            folder=self._folder,
            log=self.log,
        )
        return Endpoint(
            engine.model,
            url=self._address.url,
            socket=self._address.path,
            counters=self._adapter.counters,
        )

    async def wait_exit(self) -> int | None:
        """Return the server's exit status as soon as it has ended, or None once it is lost.

        vLLM takes ten seconds to end after one of its workers has died, but says so at once.
        """
        assert self._process is not None, "wait_exit() follows start()"
        exited = asyncio.ensure_future(self._process.wait_exit())
        lost = asyncio.ensure_future(spoken(self.log, self._adapter.last_words))
        try:
            await asyncio.wait({exited, lost}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({exited}, timeout=PATIENCE_S)
            return exited.result() if exited.done() else None
        finally:
            exited.cancel()
            lost.cancel()

    async def stop(self) -> None:
        """End the server and its workers, and see that their GPU memory is given back.

        Raises:
            InfrastructureError: If processes are left, or memory is.
        """
        try:
            if self._process is not None and self._memory is not None:
                await self._process.stop()
                await self._memory.wait_until_given_back()
        finally:
            self._process = None
            if self._address is not None:
                self._address.release()
                self._address = None
