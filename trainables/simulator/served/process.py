"""The life of a served engine: start, serve, and end as a real one would."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable
from math import inf
from socket import socket
from typing import NoReturn

import uvloop
from aiohttp import web

from trainables.clock import WallClock
from trainables.simulator.engine import EngineDeathError
from trainables.simulator.served.address import Address
from trainables.simulator.served.fault import Fault
from trainables.simulator.served.live_engine import LiveEngine
from trainables.simulator.served.metrics_page import MetricsPage
from trainables.simulator.served.server import Server
from trainables.simulator.trial_files import describe_memory
from trainables.simulator.twin import Twin

BACKLOG = 2048  # connections that wait to be accepted, as of vLLM's server
GOODBYE_S = 1.0  # for the last words to those who are still waiting
DEAD = "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."


def serve(
    twin: Twin,
    model: str,
    address: Address,
    *,
    fault: Fault | None = None,
    startup_s: float = 0.0,
    seed: int = 0,
) -> int:
    """Serve an engine until it dies or a signal (SIGINT, SIGTERM) ends it.

    Args:
        twin: What is served.
        model: The name that requests must carry.
        address: Where to listen.
        fault: What goes wrong, if anything is to.
        startup_s: Seconds before the first healthy answer.
        seed: Decides the jitter of steps.

    Returns:
        The exit status: 0 after a signal, 1 after a death.

    Raises:
        UserError: If the address cannot be had.
    """
    service = _Service(twin, model, address, fault or Fault(), startup_s, seed)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(service.run())


class _Service:
    """One server, from its first log line to its exit status."""

    def __init__(
        self, twin: Twin, model: str, address: Address, fault: Fault, startup_s: float, seed: int
    ) -> None:
        self._twin = twin
        self._model = model
        self._address = address
        self._fault = fault
        self._startup_s = startup_s
        self._seed = seed

    async def run(self) -> int:
        """Start and serve; return the exit status."""
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with self._address.bind() as listener:
            try:
                await self._start()
                await self._serve(listener)
            except EngineDeathError as death:
                _log("ERROR", (*death.failure.log_tail, DEAD))
                return 1
            except asyncio.CancelledError:
                _log("INFO", ["Shut down."])
                return 0
            finally:
                self._address.release()

    async def _start(self) -> None:
        _log("INFO", describe_memory(self._twin.memory))
        failure = self._twin.start_failure(inf) or self._fault.start_failure
        await asyncio.sleep(self._startup_s + self._fault.start_delay_s)
        if failure is not None:
            raise EngineDeathError(failure)

    async def _serve(self, listener: socket) -> NoReturn:
        config = self._twin.config
        page = MetricsPage(self._model, config.max_model_len)
        engine = LiveEngine(
            self._twin.make_engine(self._seed),
            WallClock(),
            page,
            stream_interval=config.stream_interval,
            fault=self._fault,
        )
        runner = web.AppRunner(
            Server(engine, self._model, config, page).application(),
            access_log=None,
            handler_cancellation=True,  # a client that goes away is noticed, and its request ends
            shutdown_timeout=GOODBYE_S,
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
            _log("INFO", [f"Serving {self._model} at {self._address.of(listener)}; Ctrl-C ends."])
            await engine.run()
        finally:
            await runner.cleanup()


def _log(level: str, lines: Iterable[str]) -> None:
    """Write lines to the log as vLLM does: with the process, the level and the time."""
    stamp = time.strftime("%m-%d %H:%M:%S")
    for line in lines:
        sys.stderr.write(f"(EngineCore pid={os.getpid()}) {level} {stamp} [simulated] {line}\n")
    sys.stderr.flush()
