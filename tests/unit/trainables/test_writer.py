"""The forms of requests, against a server that adds tokens of its own to every text."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from tokenizers import Tokenizer, models, pre_tokenizers

from scoot_ray.core.request import Request
from scoot_ray.core.sections import EngineSection
from trainables.engines.endpoint import Endpoint
from trainables.message import CHAT, COMPLETIONS, Message
from trainables.writer import make_writer

TEMPLATE_TOKENS = 9
REQUESTS = [Request(0.0, 40, 3, None, (1, 2), 16), Request(0.0, 35, 3, None, (1, 2), 16)]


@asynccontextmanager
async def counting_server(folder: Path, status: int = 200) -> AsyncIterator[Endpoint]:
    """Count a letter as a token, as the tokenizer of `model` does."""

    async def answer(request: web.Request) -> web.Response:
        text = text_of(await request.read(), request.path)
        usage = {"prompt_tokens": len(text) + TEMPLATE_TOKENS}
        return web.json_response({"usage": usage}, status=status)

    application = web.Application()
    application.add_routes([web.post(COMPLETIONS, answer), web.post(CHAT, answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "s")).start()
    yield Endpoint("m", socket=folder / "s", takes_token_ids=False)
    await runner.cleanup()


def text_of(body: bytes, path: str) -> str:
    content = json.loads(body)
    text: str = content["messages"][0]["content"] if path == CHAT else content["prompt"]
    return text


def model(folder: Path) -> Path:
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={t: n for n, t in enumerate(tokens)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def engine_of(folder: Path, endpoint: str) -> EngineSection:
    data = {"kind": "vllm", "model": str(folder), "endpoint": endpoint}
    return EngineSection.model_validate(data)


@pytest.mark.parametrize(("endpoint", "path"), [("chat", CHAT), ("completions", COMPLETIONS)])
async def test_texts_are_shorter_by_what_the_server_adds(
    tmp_path: Path, endpoint: str, path: str
) -> None:
    engine = engine_of(model(tmp_path), endpoint)
    async with counting_server(tmp_path) as server:
        messages = (await make_writer(engine, server, 0)).write(REQUESTS)
    assert [message.path for message in messages] == [path, path]
    texts = [text_of(message.body, path) for message in messages]
    assert [len(text) + TEMPLATE_TOKENS for text in texts] == [40, 35]
    assert texts[0][: 32 - TEMPLATE_TOKENS] == texts[1][: 32 - TEMPLATE_TOKENS]
    assert texts[0][:26] != texts[1][:26]


async def test_a_prompt_has_at_least_one_token(tmp_path: Path) -> None:
    async with counting_server(tmp_path) as server:
        writer = await make_writer(engine_of(model(tmp_path), "chat"), server, 0)
    (message,) = writer.write([Request(0.0, 3, 1)])
    assert len(text_of(message.body, CHAT)) == 1


async def test_a_server_that_does_not_count_adds_nothing(tmp_path: Path) -> None:
    async with counting_server(tmp_path, status=400) as server:
        writer = await make_writer(engine_of(model(tmp_path), "chat"), server, 0)
    assert len(text_of(writer.write(REQUESTS)[0].body, CHAT)) == 40


async def test_without_a_tokenizer_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with counting_server(tmp_path) as server:
        with caplog.at_level(logging.WARNING):
            await make_writer(engine_of(tmp_path, "chat"), server, 0)
    assert "estimates" in caplog.text
    assert "engine.tokenizer" in caplog.text


async def test_token_ids_wherever_they_are_taken(tmp_path: Path) -> None:
    engine = EngineSection(kind="vllm", model="meta-llama/Llama-2-7b-hf")
    writer = await make_writer(engine, Endpoint("m", socket=tmp_path / "nobody"), 0)
    message: Message = writer.write(REQUESTS)[0]
    content = json.loads(message.body)
    assert message.path == COMPLETIONS
    assert len(content["prompt"]) == 40
    assert content["max_tokens"] == content["min_tokens"] == 3
