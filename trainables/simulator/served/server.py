"""The routes of the server: vLLM's, as far as load generators and monitoring use them."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from trainables.simulator.config import EngineConfig
from trainables.simulator.engine import EngineDeathError
from trainables.simulator.served.answer import DONE, Answer, error_content, to_event
from trainables.simulator.served.generation import Generation
from trainables.simulator.served.live_engine import LiveEngine
from trainables.simulator.served.metrics_page import CONTENT_TYPE, MetricsPage
from trainables.simulator.served.prompt import make_request
from trainables.simulator.served.protocol import (
    ChatBody,
    CompletionBody,
    GenerationBody,
    ProtocolError,
    StreamOptions,
    parse_body,
)

VERSION = "0.32.0+simulated"
MAX_BODY_BYTES = 64 * 2**20  # a prompt of a million tokens, as ids
DEAD = "EngineCore encountered an issue. See stack trace (above) for the root cause."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answer the requests to one engine.

    Args:
        engine: Runs beside the server, in the same event loop.
        model: The name under which it is served.
        config: The engine's parameters.
        page: Its metrics.
    """

    def __init__(
        self, engine: LiveEngine, model: str, config: EngineConfig, page: MetricsPage
    ) -> None:
        self._engine = engine
        self._model = model
        self._config = config
        self._page = page
        self._started_s = int(time.time())

    def application(self) -> web.Application:
        """Return the server as an aiohttp application."""
        application = web.Application(
            client_max_size=MAX_BODY_BYTES, middlewares=[self._answer_or_not]
        )
        router = application.router
        router.add_post("/v1/completions", self._complete)
        router.add_post("/v1/chat/completions", self._chat)
        router.add_get("/v1/models", self._models)
        router.add_get("/health", self._health)
        router.add_route("*", "/ping", self._health)
        router.add_get("/version", self._version)
        router.add_get("/metrics", self._metrics)
        return application

    @web.middleware
    async def _answer_or_not(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._engine.hangs:
            await asyncio.Event().wait()
        try:
            return await handler(request)
        except ProtocolError as error:
            content = error_content(error.message, error.kind, error.parameter, error.status)
            return web.json_response(content, status=error.status)
        except EngineDeathError:
            content = error_content(DEAD, "InternalServerError", None, 500)
            return web.json_response(content, status=500)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, CompletionBody)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, ChatBody)

    async def _generate(
        self, request: web.Request, kind: type[GenerationBody]
    ) -> web.StreamResponse:
        body = parse_body(kind, await request.read(), self._model)
        token_ids = body.token_ids
        num_tokens = body.output_tokens(len(token_ids), self._config.max_model_len)
        answer = Answer(self._model, kind is ChatBody, len(token_ids), num_tokens)
        engine_request = make_request(token_ids, num_tokens, self._config.block_size)
        with self._engine.generate(engine_request) as generation:
            if body.stream:
                return await self._stream(request, generation, answer, body.usage)
            async for _ in generation.stream():
                pass
            return web.json_response(answer.whole())

    async def _stream(
        self,
        request: web.Request,
        generation: Generation,
        answer: Answer,
        options: StreamOptions,
    ) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await reply.prepare(request)
        num_sent = 0
        try:
            async for count in generation.stream():
                event = answer.event(num_sent, count, options)
                await reply.write(event if num_sent else answer.first_event(options) + event)
                num_sent = count
            await reply.write(b"".join(answer.last_events(options)))
        except EngineDeathError:
            content = error_content(DEAD, "InternalServerError", None, 500)
            await reply.write(to_event(content) + DONE)
        return reply

    async def _models(self, _: web.Request) -> web.Response:
        model = {
            "id": self._model,
            "object": "model",
            "created": self._started_s,
            "owned_by": "scoot-ray",
            "root": self._model,
            "parent": None,
            "max_model_len": self._config.max_model_len,
        }
        return web.json_response({"object": "list", "data": [model]})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=503 if self._engine.is_dead else 200)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": VERSION})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._page.render(), headers={"Content-Type": CONTENT_TYPE})
