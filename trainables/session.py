"""One trial on a real engine: start, warm up, load, drain, stop, and say how it went."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from scoot_ray.core.bar import Bar
from scoot_ray.core.failure import Phase
from scoot_ray.core.metrics import lateness_s, summarize
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import RequestRecord
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from traces.schema import Trace
from traces.workload import Load, make_load
from trainables.client import TIMEOUT, LoadClient
from trainables.client_pool import ClientPool, make_client
from trainables.clock import Clock, WallClock
from trainables.early_stop import EarlyStop
from trainables.engines.counters import work_done
from trainables.engines.endpoint import Endpoint
from trainables.engines.engine import Engine
from trainables.engines.engine_log import parting_lines, read_lines
from trainables.engines.health import until_any_ill
from trainables.failure import (
    ENGINE_EXITED,
    HEALTH_LOST,
    REQUEST_ERRORS,
    REQUEST_TIMEOUTS,
    STARTUP_TIMEOUT,
    FailureRule,
    after_retry,
    diagnose,
    failed_outcome,
    is_unexplained,
)
from trainables.message import Message
from trainables.phases import READINESS, PhaseTimer, untold
from trainables.replicas import Replicas, replicas_of
from trainables.request_table import write_request_table
from trainables.spaces import make_deployment
from trainables.writer import make_writer

LOG, FIRST_LOG = "engine.log", "engine-first-attempt.log"
# A dying engine cuts its connections, and turns ill, before it writes why and exits.
LAST_WORDS_S = 2.0

EngineMaker = Callable[[Study, Replicas, Path], Engine]
T = TypeVar("T")
logger = logging.getLogger(__name__)


class ServedStressTest:
    """Measure configurations over HTTP on an engine that is started for each of them.

    Args:
        study: The study.
        make_engine: Makes the engine of one trial, from the study, the replicas and the folder.
        folder: Receives engine.log and requests.parquet.
        clock: Wall time unless given.
        entered: Is told of every phase as it begins.
    """

    def __init__(
        self,
        study: Study,
        make_engine: EngineMaker,
        *,
        folder: Path,
        clock: Clock | None = None,
        entered: Callable[[Phase], None] = untold,
    ) -> None:
        self._study = study
        self._make_engine = make_engine
        self._folder = folder
        self._clock = clock or WallClock()
        self._entered = entered

    def run(self, config: Config, trace: Trace, seed: int, bar: Bar | None = None) -> Outcome:
        """Run one stress test; what the engine does is an outcome, all else is raised.

        What nothing explains is run a second time before it is held against the configuration.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        replicas = replicas_of(self._study, config)
        load = make_load(
            trace,
            self._study.workload,
            share=replicas.share,
            max_model_len=make_deployment(self._study).max_model_len,
            seed=seed,
        )
        outcome = self._attempt(config, load, replicas, seed, bar)
        if not is_unexplained(outcome):
            return outcome
        self._set_log_aside()
        return after_retry(outcome, self._attempt(config, load, replicas, seed, bar))

    def _set_log_aside(self) -> None:
        log = self._folder / LOG
        if log.exists():
            log.replace(self._folder / FIRST_LOG)

    def _attempt(
        self, config: Config, load: Load, replicas: Replicas, seed: int, bar: Bar | None
    ) -> Outcome:
        engine = self._make_engine(self._study, replicas, self._folder)
        session = Session(self._study, engine, self._folder, self._clock, self._entered)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(session.run(config, load, share=replicas.share, seed=seed, bar=bar))


class Session:
    """Take one engine through the phases of one stress test."""

    def __init__(
        self,
        study: Study,
        engine: Engine,
        folder: Path,
        clock: Clock,
        entered: Callable[[Phase], None] = untold,
    ) -> None:
        self._study = study
        self._engine = engine
        self._folder = folder
        self._clock = clock
        self._timer = PhaseTimer(clock, entered)
        self._illness: asyncio.Task[str] | None = None

    @property
    def phase(self) -> Phase:
        """The phase that is going on."""
        return self._timer.current

    async def run(
        self, config: Config, load: Load, *, share: float, seed: int, bar: Bar | None = None
    ) -> Outcome:
        """Run all phases; the engine is gone when this returns or raises."""
        early_stop = EarlyStop(self._study, bar, load, share) if bar else None
        try:
            outcome = await self._measure(config, load, share, seed, early_stop)
        except EngineFailureError as failure:
            outcome = await self._explain(failure)
        finally:
            with self._timer.phase(Phase.STOP):
                await self._engine.stop()
        return replace(outcome, phases_s=self._timer.seconds)

    async def _measure(
        self, config: Config, load: Load, share: float, seed: int, early_stop: EarlyStop | None
    ) -> Outcome:
        with self._timer.phase(Phase.START):
            endpoint = await self._engine.start(config)
        with self._timer.phase(Phase.START, timed_as=READINESS):
            await self._while_alive(self._wait_until_healthy(endpoint))
            writer = await self._while_alive(make_writer(self._study.engine, endpoint, seed))
            warmup, messages = writer.write(load.warmup), writer.write(load.requests)
        timeout_s = self._study.workload.request_timeout_s
        async with (
            self._health_watched(endpoint),
            make_client(endpoint, self._clock, timeout_s, load.requests) as client,
        ):
            with self._timer.phase(Phase.WARM_UP):
                tasks = await self._while_alive(client.send(warmup))
                await self._require_success(endpoint, await self._while_alive(client.drain(tasks)))
            counted = await self._while_alive(endpoint.read_counters())
            load_run = asyncio.ensure_future(self._run_load(endpoint, client, messages))
            if early_stop and not await self._is_worth_its_end(load_run, client, early_stop):
                return early_stop.outcome()
            records = await load_run
            work = work_done(counted, await self._while_alive(endpoint.read_counters()))
        return Outcome(TrialState.COMPLETE, self._metrics(records, share) | work)

    async def _run_load(
        self, endpoint: Endpoint, client: LoadClient | ClientPool, messages: Sequence[Message]
    ) -> list[RequestRecord]:
        with self._timer.phase(Phase.LOAD):
            tasks = await self._while_alive(client.send(messages))
        with self._timer.phase(Phase.DRAIN):
            records = await self._while_alive(client.drain(tasks))
            write_request_table(self._folder / "requests.parquet", records)
            await self._require_success(endpoint, records)
        return records

    async def _is_worth_its_end(
        self,
        load_run: asyncio.Task[list[RequestRecord]],
        client: LoadClient | ClientPool,
        early_stop: EarlyStop,
    ) -> bool:
        """Wait for the end of the load; false if it was cut off because it had become hopeless."""
        hopeless = asyncio.ensure_future(early_stop.wait(client.update, self._clock))
        try:
            await asyncio.wait({load_run, hopeless}, return_when=asyncio.FIRST_COMPLETED)
            if not load_run.done():
                hopeless.result()  # a mistake in the rule is no reason to end a test
            return load_run.done()
        finally:
            for task in (load_run, hopeless):
                task.cancel()
            await asyncio.gather(load_run, hopeless, return_exceptions=True)

    async def _wait_until_healthy(self, endpoint: Endpoint) -> None:
        limit_s = self._study.engine.startup_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await endpoint.wait_until_healthy()
        except TimeoutError:
            detail = f"It was given {limit_s:g} s."
            raise EngineFailureError(STARTUP_TIMEOUT, Phase.START, detail) from None

    @contextlib.asynccontextmanager
    async def _health_watched(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """Let `_while_alive` see illness, too, while inside."""
        patience_s = self._study.engine.health_timeout_s
        self._illness = asyncio.create_task(until_any_ill(endpoint, patience_s=patience_s))
        try:
            yield
        finally:
            self._illness.cancel()
            await asyncio.gather(self._illness, return_exceptions=True)
            self._illness = None

    async def _while_alive(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`, or raise as soon as the engine dies or turns ill."""
        task = asyncio.ensure_future(work)
        death = asyncio.ensure_future(self._engine.wait_exit())
        ends: set[asyncio.Future[Any]] = {task, death}
        try:
            await asyncio.wait(
                ends | ({self._illness} if self._illness else set()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if death.done():
                raise self._death(death.result())
            if self._illness is not None and self._illness.done():
                raise EngineFailureError(HEALTH_LOST, self._timer.current, self._illness.result())
            return await task
        finally:
            for future in ends:
                future.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    def _death(self, status: int | None) -> "EngineFailureError":
        return EngineFailureError(ENGINE_EXITED, self._timer.current, describe_exit(status))

    async def _require_success(self, endpoint: Endpoint, records: Sequence[RequestRecord]) -> None:
        errors = [record.error for record in records if record.error is not None]
        if len(errors) <= self._study.workload.max_failed_share * len(records):
            return
        detail = f"{len(errors)} of {len(records)}; the first: {errors[0]}."
        timeouts = errors.count(TIMEOUT)
        rule = REQUEST_TIMEOUTS if 2 * timeouts >= len(errors) else REQUEST_ERRORS
        if not await self._while_alive(endpoint.is_healthy()):
            rule = HEALTH_LOST
        raise EngineFailureError(rule, self._timer.current, detail)

    async def _explain(self, failure: "EngineFailureError") -> Outcome:
        """Let the engine finish what it has to say, and look for the cause in its log."""
        with self._timer.phase(Phase.STOP):
            failure = await self._last_words(failure)
        log = self._engine.log
        rule = diagnose(self._engine.failure_rules, failure.phase, read_lines(log), failure.rule)
        shown = parting_lines(log)
        return failed_outcome(rule, failure.phase, detail=failure.detail, log_tail=shown)

    async def _last_words(self, failure: "EngineFailureError") -> "EngineFailureError":
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                status = await self._engine.wait_exit()
        except TimeoutError:
            return failure
        return EngineFailureError(ENGINE_EXITED, failure.phase, describe_exit(status))

    def _metrics(self, records: Sequence[RequestRecord], share: float) -> dict[str, float]:
        metrics = summarize(records, share=share, bounds_s=self._study.goodput_bounds_s)
        if late_s := lateness_s(metrics):
            logger.warning(
                "Requests were sent up to %.0f ms late (p99), so the client may have been the "
                "bottleneck; give the trial more CPU cores or lower workload.request_rate_rps.",
                1e3 * late_s,
            )
        return metrics


def describe_exit(status: int | None) -> str:
    """Say how a process ended, as it is known to `wait_exit`; nothing where it is not."""
    if status is None:
        return ""
    if status < 0:
        return f"It was killed by {signal.Signals(-status).name}."
    return f"Exit status: {status}."


class EngineFailureError(Exception):
    """The engine failed in a way that is an outcome; never leaves a session."""

    def __init__(self, rule: FailureRule, phase: Phase, detail: str) -> None:
        super().__init__(rule.cause)
        self.rule = rule
        self.phase = phase
        self.detail = detail
