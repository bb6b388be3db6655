"""A small server that answers as an engine does, with known timing and faults on demand.

In a test's own process it is a `StandIn`; as a program it takes an engine's flags (the dialects):

    python -m tests.stand_in_engine -m vllm.entrypoints.openai.api_server --uds PATH ...
    python -m tests.stand_in_engine -m sglang.launch_server --model-path NAME --port 20000 ...

What it does wrong is set by environment variables, so that a study's `engine.env` chooses it.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from aiohttp import web

from tests.stand_in.dialects import Launch, dialect_of
from trainables.clock import WallClock

ROOT = Path(__file__).parents[1]
EXIT_AFTER_WORKER_S = 5.0


@dataclass
class StandIn:
    """Stream answers; one token takes `tpot_s`, the first one `ttft_s`.

    Faults: "hang" (no answer), "errors" (status 500), "error_event" (in mid-stream), "cut_off"
    (connection closed in mid-stream), "short" (one token too few), "stuck" (no answer, not from
    /health either), "die" (the process, in mid-stream, once `faulty_from` requests have come).

    The number of requests so far is written to `record`.
    `is_dead` is set when a worker has died; as with vLLM, /health says so before the server exits.
    """

    ttft_s: float = 0.0
    tpot_s: float = 0.0
    tokens_per_chunk: int = 1
    fault: str = ""
    faulty_from: int = 0
    num_requests: int = 0
    is_dead: bool = False
    is_warming_up: bool = False
    last_words: str = ""
    record: Path | None = None

    def application(self) -> web.Application:
        """Return the server."""
        application = web.Application()
        application.router.add_get("/health", self._health)
        application.router.add_post("/v1/completions", self._complete)
        return application

    async def _health(self, _: web.Request) -> web.Response:
        if self._fault() == "stuck":
            await asyncio.sleep(3600)
        is_ill = self.is_dead or self.is_warming_up or self._fault() == "errors"
        return web.Response(status=503 if is_ill else 200)

    def _fault(self) -> str:
        return self.fault if self.num_requests > self.faulty_from else ""

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        assert body["ignore_eos"]
        assert body["min_tokens"] == body["max_tokens"]
        self.num_requests += 1
        if self.record is not None:
            self.record.write_text(str(self.num_requests))
        fault = self._fault()
        if fault in ("hang", "stuck"):
            await asyncio.sleep(3600)
        if fault == "errors":
            return web.Response(status=500, text="engine is dead")
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        await self._stream(reply, body["max_tokens"] - (fault == "short"), fault)
        return reply

    async def _stream(self, reply: web.StreamResponse, num_tokens: int, fault: str) -> None:
        await WallClock().sleep_until(self.ttft_s)  # a plain sleep may end early
        step = self.tokens_per_chunk
        # The first token always comes alone.
        counts = sorted({*range(1, num_tokens, step), num_tokens})
        for before, count in pairwise([0, *counts]):
            if before > 0:
                await asyncio.sleep(self.tpot_s * (count - before))
            await reply.write(_event(count))
            if fault == "die":
                print(self.last_words)
                sys.stdout.flush()
                os._exit(1)
            if fault == "cut_off":
                return
            if fault == "error_event":
                await reply.write(b'data: {"error": {"message": "engine is dead"}}\n\n')
                break
        await reply.write(b"data: [DONE]\n\n")


def _event(count: int) -> bytes:
    usage = {"prompt_tokens": 5, "total_tokens": 5 + count, "completion_tokens": count}
    choice = {"index": 0, "text": '"completion_tokens":99', "finish_reason": None}
    return f"data: {json.dumps({'choices': [choice], 'usage': usage})}\n\n".encode()


def write_interpreter(folder: Path) -> Path:
    """Write a program that runs the stand-in when it is called as `PROGRAM -m MODULE FLAGS`."""
    program = folder / "stand-in-python"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.stand_in_engine "$@"\n'
    )
    program.chmod(0o755)
    return program


def main() -> None:
    """Start as the engine would: parse, check, spawn a worker in a session of its own, serve."""
    option, module_or_script, *words = sys.argv[1:]
    dialect = dialect_of(module_or_script)
    if option == "-c":  # asked for its version and arguments
        print(json.dumps({"version": "stand-in", "parameters": dialect.parameters()}))
        return
    fault = chosen_fault()
    launch = dialect.read(words)
    if launch.refusal:
        raise SystemExit(launch.refusal)
    refused = os.environ.get("STAND_IN_REFUSES")
    if refused and refused in " ".join(words):
        raise SystemExit(f"ValueError: no kernel for {refused}")
    if fault == "die_at_start":
        raise SystemExit("RuntimeError: something that no rule knows")
    stand_in = StandIn(
        ttft_s=float(os.environ.get("STAND_IN_TTFT_S", "0.01")),
        tpot_s=float(os.environ.get("STAND_IN_TPOT_S", "0.001")),
        fault=fault,
        faulty_from=int(os.environ.get("STAND_IN_FAULTY_FROM", "0")),
        is_warming_up=launch.warm_up_s > 0,
        last_words=launch.last_words,
        record=Path("served.json"),
    )
    worker = spawn_workers(launch.model)
    if fault == "never_ready":
        raise SystemExit(f"RuntimeError: worker died with status {worker.wait()}")
    threading.Thread(target=follow, args=(worker, stand_in), daemon=True).start()
    threading.Thread(target=warm_up, args=(launch, stand_in), daemon=True).start()
    web.run_app(stand_in.application(), print=None, shutdown_timeout=0.1, **launch.address)


def warm_up(launch: Launch, stand_in: StandIn) -> None:
    """Say that the server is ready, some time after it has begun to listen."""
    time.sleep(launch.warm_up_s)
    stand_in.is_warming_up = False
    sys.stdout.write(f"{launch.greeting}\n")
    sys.stdout.flush()


def chosen_fault() -> str:
    """Return the fault to show: the one that is asked for, or only the first time."""
    once = os.environ.get("STAND_IN_FAULT_ONCE")
    if once and Path(once).exists():
        return ""
    if once:
        Path(once).touch()
    return os.environ.get("STAND_IN_FAULT", "")


def follow(worker: "subprocess.Popen[bytes]", stand_in: StandIn) -> None:
    """Turn ill when the worker dies, and exit seconds later, as vLLM does."""
    status = worker.wait()
    stand_in.is_dead = True
    time.sleep(EXIT_AFTER_WORKER_S)
    sys.stdout.write(f"RuntimeError: worker died with status {status}\n")
    sys.stdout.flush()
    os._exit(1)


def spawn_workers(mark: str) -> "subprocess.Popen[bytes]":
    """Start two processes that ignore SIGTERM in sessions of their own, one of them an orphan.

    Returns:
        The one that is no orphan.
    """
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if sys.argv[1] == 'orphan' and os.fork(): os._exit(0)\n"
        "time.sleep(600)"
    )
    orphan, child = (
        subprocess.Popen([sys.executable, "-c", code, kind, mark], start_new_session=True)
        for kind in ("orphan", "child")
    )
    orphan.wait()
    return child


if __name__ == "__main__":
    main()
