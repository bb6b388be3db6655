"""The server as clients see it; steps take 2 ms unless a test says otherwise."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.trainables.simulator.served.conftest import MODEL, Served, ServedMaker

PROMPT = list(range(40))


async def complete(served: Served, **fields: Any) -> aiohttp.ClientResponse:
    body = {"model": MODEL, "prompt": PROMPT, "max_tokens": 6, **fields}
    return await served.client.post("/v1/completions", json=body)


async def events(reply: aiohttp.ClientResponse) -> list[Any]:
    """Read a stream to its end, which must be [DONE]."""
    assert reply.content_type == "text/event-stream"
    *lines, last = (await reply.text()).strip().split("\n\n")
    assert last == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def samples(served: Served) -> dict[str, float]:
    """Read the metrics page with Prometheus' own parser."""
    page = await (await served.client.get("/metrics")).text()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            assert sample.labels["model_name"] == MODEL
            assert sample.labels["engine"] == "0"
            suffix = sample.labels.get("finished_reason") or sample.labels.get("le")
            found[f"{sample.name}:{suffix}" if suffix else sample.name] = sample.value
    return found


async def test_an_answer_in_one_piece(serving: ServedMaker) -> None:
    async with serving() as served:
        reply = await complete(served)
        answer = await reply.json()
    assert reply.status == 200
    assert answer["object"] == "text_completion"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(answer["choices"][0]["text"].split()) == 6
    assert answer["usage"] == {"prompt_tokens": 40, "total_tokens": 46, "completion_tokens": 6}


async def test_a_stream_has_one_event_per_token_and_counts_on_demand(serving: ServedMaker) -> None:
    async with serving() as served:
        plain = await events(await complete(served, stream=True))
        options = {"include_usage": True, "continuous_usage_stats": True}
        counted = await events(await complete(served, stream=True, stream_options=options))
    assert [len(event["choices"]) for event in plain] == [1] * 6
    assert all("usage" not in event for event in plain)
    assert [event["usage"]["completion_tokens"] for event in counted] == [1, 2, 3, 4, 5, 6, 6]
    assert counted[-1]["choices"] == []
    reasons = [event["choices"][0]["finish_reason"] for event in plain]
    assert reasons == [None] * 5 + ["length"]


async def test_stream_interval_gathers_tokens_after_the_first(serving: ServedMaker) -> None:
    async with serving(stream_interval=4) as served:
        options = {"continuous_usage_stats": True}
        stream = await events(
            await complete(served, max_tokens=12, stream=True, stream_options=options)
        )
    assert [event["usage"]["completion_tokens"] for event in stream] == [1, 5, 9, 12]
    assert len("".join(event["choices"][0]["text"] for event in stream).split()) == 12


async def test_a_chat(serving: ServedMaker) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}], "max_completion_tokens": 3}
    async with serving() as served:
        whole = await (await served.client.post("/v1/chat/completions", json=body)).json()
        reply = await served.client.post("/v1/chat/completions", json=body | {"stream": True})
        stream = await events(reply)
    assert whole["choices"][0]["message"]["role"] == "assistant"
    assert whole["usage"]["completion_tokens"] == 3
    deltas = [event["choices"][0]["delta"] for event in stream]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta["content"] for delta in deltas).split() == ["word"] * 3
    assert {event["object"] for event in stream} == {"chat.completion.chunk"}


async def test_tokens_come_when_their_steps_end(serving: ServedMaker) -> None:
    """Absolute times: a late wake-up delays one token, and none of those after it."""
    async with serving(step_s=0.02) as served:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        reply = await complete(served, max_tokens=25, stream=True)
        await reply.read()
        took_s = loop.time() - start_s
        virtual_s = served.engine.now_s
    assert 25 * 0.019 <= took_s <= virtual_s + 0.1
    assert virtual_s == pytest.approx(25 * 0.02, rel=0.05, abs=0.1)


@pytest.mark.parametrize(
    ("path", "body", "status", "parameter"),
    [
        ("/v1/completions", {"prompt": [1] * 2048}, 400, "input_tokens"),
        ("/v1/completions", {"prompt": [1], "max_tokens": 5000}, 400, "max_tokens"),
        ("/v1/completions", {}, 400, "prompt"),
        ("/v1/chat/completions", {"messages": []}, 400, "messages"),
        ("/v1/completions", {"prompt": "x", "model": "other"}, 404, "model"),
    ],
)
async def test_bad_requests_get_an_error_as_of_openai(
    serving: ServedMaker, path: str, body: dict[str, Any], status: int, parameter: str
) -> None:
    async with serving() as served:
        reply = await served.client.post(path, json=body)
        error = (await reply.json())["error"]
        assert (reply.status, error["code"], error["param"]) == (status, status, parameter)
        assert error["message"]
        assert (await complete(served)).status == 200


async def test_the_small_routes(serving: ServedMaker) -> None:
    async with serving() as served:
        for path in ("/health", "/ping"):
            assert (await served.client.get(path)).status == 200
        models = await (await served.client.get("/v1/models")).json()
        version = await (await served.client.get("/version")).json()
    assert [(model["id"], model["max_model_len"]) for model in models["data"]] == [(MODEL, 2048)]
    assert "simulated" in version["version"]


async def test_shared_prompts_hit_the_prefix_cache(serving: ServedMaker) -> None:
    async with serving() as served:
        for tail in (1, 2, 3):
            await complete(served, prompt=[*PROMPT, tail])
        counted = await samples(served)
    assert counted["vllm:prefix_cache_queries_total"] == 3 * 41
    assert counted["vllm:prefix_cache_hits_total"] == 2 * 32  # two whole blocks of 16, twice


async def test_the_metrics_count_what_happened(serving: ServedMaker) -> None:
    async with serving() as served:
        await asyncio.gather(*(complete(served, prompt=[n] * 30) for n in range(4)))
        counted = await samples(served)
    assert counted["vllm:prompt_tokens_total"] == 4 * 30
    assert counted["vllm:generation_tokens_total"] == 4 * 6
    assert counted["vllm:request_success_total:length"] == 4
    assert counted["vllm:time_to_first_token_seconds_count"] == 4
    assert counted["vllm:inter_token_latency_seconds_count"] == 4 * 5
    assert counted["vllm:iteration_tokens_total_sum"] == 4 * (30 + 6)
    assert counted["vllm:iteration_tokens_total_count"] == served.engine.num_steps
    assert counted["vllm:request_generation_tokens_sum"] == 24
    assert counted["vllm:num_requests_running"] == counted["vllm:num_requests_waiting"] == 0
    for name in ("e2e_request_latency", "request_queue_time", "request_prefill_time"):
        assert counted[f"vllm:{name}_seconds_bucket:+Inf"] == 4


async def test_running_waiting_and_cache_use_are_shown_while_they_last(
    serving: ServedMaker,
) -> None:
    async with serving(step_s=0.02, max_num_seqs=2) as served:
        tasks = [asyncio.create_task(complete(served, max_tokens=50)) for _ in range(5)]
        await asyncio.sleep(0.3)
        counted = await samples(served)
        for task in tasks:
            task.cancel()
    assert counted["vllm:num_requests_running"] == 2
    assert counted["vllm:num_requests_waiting"] == 3
    assert 0 < counted["vllm:kv_cache_usage_perc"] < 1


async def test_preemptions_are_counted_and_every_answer_is_complete(serving: ServedMaker) -> None:
    async with serving(step_s=0.001, num_blocks=130) as served:
        prompts = [[n] * 300 for n in range(5)]
        replies = await asyncio.gather(
            *(complete(served, prompt=prompt, max_tokens=200) for prompt in prompts)
        )
        answers = [await reply.json() for reply in replies]
        counted = await samples(served)
    assert [answer["usage"]["completion_tokens"] for answer in answers] == [200] * 5
    assert counted["vllm:num_preemptions_total"] > 0
    assert counted["vllm:generation_tokens_total"] == 1000


@pytest.mark.parametrize("fault", ["die-mid-load:1", "out-of-memory:1"])
async def test_a_death_is_told_to_those_who_wait_and_those_who_come(
    serving: ServedMaker, fault: str
) -> None:
    async with serving(fault, step_s=0.02) as served:
        reply = await complete(served, max_tokens=100, stream=True)
        assert (await complete(served)).status == 500
        assert (await events(reply))[-1]["error"]["type"] == "InternalServerError"
        assert (await served.client.get("/health")).status == 503
        assert (await complete(served)).status == 500


async def test_a_hang_answers_nothing_any_more(serving: ServedMaker) -> None:
    async with serving("hang:1") as served:
        assert (await complete(served)).status == 200
        for request in (complete(served), served.client.get("/health")):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(request, 0.2)
