"""A small server that answers as vLLM does, with known timing and faults on demand.

In a test's own process it is a `StandIn`; as a program it takes vLLM's flags:

    python tests/stand_in_engine.py --uds PATH --model NAME --max-num-seqs 64 ...

What it does wrong is set by environment variables, so that a study's `engine.env` chooses it.
"""

import argparse
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

EXIT_AFTER_WORKER_S = 5.0


@dataclass
class StandIn:
    """Stream answers; one token takes `tpot_s`, the first one `ttft_s`.

    Faults: "hang" (no answer), "errors" (status 500), "error_event" (in mid-stream), "cut_off"
    (connection closed in mid-stream), "short" (one token too few), "stuck" (no answer, not from
    /health either), "die" (the process, in mid-stream, once `faulty_from` requests have come).

    `is_dead` is set when a worker has died; as with vLLM, /health says so before the server exits.
    """

    ttft_s: float = 0.0
    tpot_s: float = 0.0
    tokens_per_chunk: int = 1
    fault: str = ""
    faulty_from: int = 0
    num_requests: int = 0
    is_dead: bool = False

    def application(self) -> web.Application:
        """Return the server."""
        application = web.Application()
        application.router.add_get("/health", self._health)
        application.router.add_post("/v1/completions", self._complete)
        return application

    async def _health(self, _: web.Request) -> web.Response:
        if self._fault() == "stuck":
            await asyncio.sleep(3600)
        is_ill = self.is_dead or self._fault() == "errors"
        return web.Response(status=503 if is_ill else 200)

    def _fault(self) -> str:
        return self.fault if self.num_requests > self.faulty_from else ""

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        assert body["ignore_eos"]
        assert body["min_tokens"] == body["max_tokens"]
        self.num_requests += 1
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
        await asyncio.sleep(self.ttft_s)
        step = self.tokens_per_chunk
        # The first token always comes alone.
        counts = sorted({*range(1, num_tokens, step), num_tokens})
        for before, count in pairwise([0, *counts]):
            if before > 0:
                await asyncio.sleep(self.tpot_s * (count - before))
            await reply.write(_event(count))
            if fault == "die":
                print("ERROR 11-21 03:34:45 [core.py:1] torch.OutOfMemoryError: CUDA out of memory")
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
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "$@"\n')
    program.chmod(0o755)
    return program


def main() -> None:
    """Start as vLLM would: parse, check, spawn a worker in a session of its own, serve."""
    if sys.argv[1:2] == ["-c"]:  # asked for its version and arguments
        names = [action.dest for action in _parser()._actions]
        print(json.dumps({"version": "stand-in", "parameters": names}))
        return
    fault = chosen_fault()
    flags = _parser().parse_args()
    if flags.max_num_batched_tokens < flags.max_num_seqs:
        raise SystemExit(
            f"ValueError: max_num_batched_tokens ({flags.max_num_batched_tokens}) must be greater "
            f"than or equal to max_num_seqs ({flags.max_num_seqs})."
        )
    if fault == "die_at_start":
        raise SystemExit("RuntimeError: something that no rule knows")
    stand_in = StandIn(
        ttft_s=float(os.environ.get("STAND_IN_TTFT_S", "0.01")),
        tpot_s=float(os.environ.get("STAND_IN_TPOT_S", "0.001")),
        fault=fault,
        faulty_from=int(os.environ.get("STAND_IN_FAULTY_FROM", "0")),
    )
    worker = spawn_workers(flags.model)
    if fault == "never_ready":
        raise SystemExit(f"RuntimeError: worker died with status {worker.wait()}")
    threading.Thread(target=follow, args=(worker, stand_in), daemon=True).start()
    web.run_app(stand_in.application(), path=flags.uds, print=None, shutdown_timeout=0.1)


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="api_server.py", allow_abbrev=False)
    parser.add_argument("-m", dest="module")
    parser.add_argument("--model")
    parser.add_argument("--uds")
    parser.add_argument("--max-num-seqs", type=int, default=128)
    parser.add_argument("--max-num-batched-tokens", type=int, default=2048)
    parser.add_argument("--tensor-parallel-size", type=int, default=1)
    parser.add_argument("--max-model-len", type=int)
    parser.add_argument("--block-size", type=int)
    parser.add_argument("--long-prefill-token-threshold", type=int)
    for name in ("--enable-chunked-prefill", "--enable-prefix-caching", "--enforce-eager"):
        parser.add_argument(name, action=argparse.BooleanOptionalAction)
    return parser


if __name__ == "__main__":
    main()
