"""A server that is up already is asked what it takes."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from scoot_ray.core.study import Study, parse_study
from trainables.engines.endpoint import Endpoint
from trainables.engines.running import RunningEngine
from trainables.message import COMPLETIONS


def study_of(port: int) -> Study:
    return parse_study(
        {
            "name": "s",
            "engine": {"kind": "openai", "model": "m", "base_url": f"http://127.0.0.1:{port}/v1"},
            "service": {"num_gpus": 1, "accelerator": "H100"},
            "workload": {"trace": "synthetic:bot", "request_rate_rps": 1},
        }
    )


async def started(folder: Path, status_for_ids: int) -> Endpoint:
    """Return what is known of a server that answers prompts of token ids with a status."""

    async def complete(request: web.Request) -> web.Response:
        takes = not isinstance(json.loads(await request.read())["prompt"], list)
        return web.json_response({}, status=200 if takes else status_for_ids)

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": []})

    application = web.Application()
    application.add_routes([web.get("/v1/models", models), web.post(COMPLETIONS, complete)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    endpoint = await RunningEngine(study_of(port), folder).start({})
    await runner.cleanup()
    return endpoint


@pytest.mark.parametrize(("status", "takes"), [(200, True), (400, False), (422, False)])
async def test_a_server_that_refuses_token_ids_gets_text(
    tmp_path: Path, status: int, takes: bool
) -> None:
    assert (await started(tmp_path, status)).takes_token_ids is takes


async def test_a_server_that_is_busy_has_refused_nothing(tmp_path: Path) -> None:
    assert (await started(tmp_path, 503)).takes_token_ids
