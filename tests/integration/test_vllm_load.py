"""The load client on the real vLLM, CPU build: lengths, shared prefixes, and vLLM's own client.

vLLM listens on TCP here, because `vllm bench serve` knows no Unix sockets.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import uvloop
from scipy.stats import ttest_ind

from scoot_ray.core.metrics import summarize
from scoot_ray.core.request import Request, RequestRecord
from scoot_ray.core.study import Study, parse_study
from tests.integration.test_vllm import PYTHON, ROOT, pytestmark  # noqa: F401, applies here, too
from traces.prefix_sharing import shared_prompt_tokens
from trainables.client import LoadClient
from trainables.clock import WallClock
from trainables.engines.address import Address, LoopbackPort
from trainables.engines.counters import work_done
from trainables.engines.endpoint import Endpoint
from trainables.engines.server import EngineServer
from trainables.engines.vllm import Vllm
from trainables.writer import make_writer

BLOCK_SIZE = 32
NUM_REPEATS = 6  # of each client, after one that is not counted
# Shares of the mean: with more noise than the first nothing can be said of clients; the second is
# what the clients cost the engine, with which they share the machine.
MOST_NOISE, OVERHEAD = 0.2, 0.03
# What ours and theirs tell too much of a known server (`python -m benchmarks.load_client`).
KNOWN_ERRORS_S = {"ttft_mean_s": (0.0003, 0.0018)}
RATE_RPS, DURATION_S = 6.0, 12.0
T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

VLLM_BENCH = """
from vllm.benchmarks import serve
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
serve.add_cli_args(parser)
serve.main(parser.parse_args())
"""


class VllmOnPort(Vllm):
    """vLLM on TCP."""

    address: Callable[[int], Address] = LoopbackPort


class Served:
    """A running vLLM, and the event loop that its process is watched from."""

    def __init__(self, runner: asyncio.Runner, study: Study, endpoint: Endpoint) -> None:
        self.run = runner.run
        self.study = study
        self.endpoint = endpoint

    def replay(self, requests: Sequence[Request], seed: int, api: str = "completions") -> Any:
        """Return the records, and what the engine counted meanwhile."""
        return self.run(self._replay(requests, seed, api))

    async def _replay(
        self, requests: Sequence[Request], seed: int, api: str
    ) -> tuple[list[RequestRecord], dict[str, float]]:
        engine = self.study.engine.model_copy(update={"endpoint": api.removesuffix("_text")})
        takes_ids = not api.endswith("_text")
        endpoint = Endpoint(
            self.endpoint.model,
            url=self.endpoint.url,
            counters=self.endpoint.counters,
            takes_token_ids=takes_ids,
        )
        messages = (await make_writer(engine, endpoint, seed)).write(requests)
        before = await endpoint.read_counters()
        async with LoadClient(endpoint, WallClock(), 120.0) as client:
            records = await client.drain(await client.send(messages))
        return records, work_done(before, await endpoint.read_counters())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    script = ROOT / "examples" / "write_tiny_llama.py"
    subprocess.run([PYTHON, script, folder], check=True, timeout=120)
    # A template that adds tokens before and after the text, as those of chat models do.
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = "[USER]{% for m in messages %}{{ m['content'] }}{% endfor %}[BOT]"
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def served(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    engine = {
        "kind": "vllm",
        "model": str(model),
        "python": str(PYTHON),
        "fixed": {"max_model_len": 4096, "enforce_eager": True, "block_size": BLOCK_SIZE},
        "env": {"VLLM_CPU_KVCACHE_SPACE": "1"},
    }
    workload = {"trace": "synthetic:bot", "request_rate_rps": 1}
    service = {"num_gpus": 1, "accelerator": "CPU"}
    study = parse_study(
        {"name": "load", "engine": engine, "service": service, "workload": workload}
    )
    server = EngineServer(VllmOnPort(), study, tmp_path_factory.mktemp("trial"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        endpoint = runner.run(_start(server))
        yield Served(runner, study, endpoint)
        runner.run(server.stop())


async def _start(server: EngineServer) -> Endpoint:
    endpoint = await server.start({})
    async with asyncio.timeout(400):
        await endpoint.wait_until_healthy()
    return endpoint


@pytest.mark.parametrize("api", ["completions", "completions_text", "chat"])
def test_prompts_have_the_lengths_of_the_trace(served: Served, api: str) -> None:
    lengths = [20, 21, 64, 333, 1500]
    requests = [Request(0.2 * n, length, 4 + n) for n, length in enumerate(lengths)]
    records, _ = served.replay(requests, seed=1, api=api)
    assert [record.error for record in records] == [None] * len(lengths)
    # What the record holds is the engine's own `usage`.
    assert [record.prompt_tokens for record in records] == lengths
    assert [record.output_tokens for record in records] == [4, 5, 6, 7, 8]


def prefix_requests() -> list[Request]:
    """Return prompts that begin alike in all sorts of depths, far enough apart to be cached."""
    rng = np.random.default_rng(3)
    requests = []
    for n in range(40):
        family, depth, rest = rng.integers([0, 1, 1], [4, 8, 3 * BLOCK_SIZE]).tolist()
        hashes = tuple(100 * family + level for level in range(depth))
        length = depth * BLOCK_SIZE + rest
        requests.append(Request(0.25 * n, length, 2, None, hashes, BLOCK_SIZE))
    return requests


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_the_engines_hit_rate_is_that_of_the_trace(served: Served, api: str) -> None:
    requests = prefix_requests()
    records, work = served.replay(requests, seed=2, api=api)
    assert all(record.completed for record in records)
    prompt_tokens = sum(request.prompt_tokens for request in requests)
    expected = shared_prompt_tokens(requests) / prompt_tokens
    assert 0.3 < expected < 0.9
    # A template shifts a text against the engine's blocks, and is itself shared.
    tolerance = 0.002 if api == "completions" else BLOCK_SIZE * len(requests) / prompt_tokens
    assert work["prefix_cache_hit_rate"] == pytest.approx(expected, abs=tolerance)


def load_requests() -> list[Request]:
    rng = np.random.default_rng(5)
    times_s = np.cumsum(rng.exponential(1 / RATE_RPS, int(RATE_RPS * DURATION_S)))
    # vLLM's client starts with the first request.
    times_s -= times_s[0]
    return [
        Request(float(time_s), int(rng.integers(32, 256)), int(rng.integers(16, 64)))
        for time_s in times_s
    ]


def by_vllm_bench(
    served: Served, requests: Sequence[Request], run: int, folder: Path
) -> dict[str, float]:
    """Return what `vllm bench serve` says of the same arrivals and lengths."""
    trace = folder / "trace.jsonl"
    lines = []
    for n, request in enumerate(requests):
        num_blocks = -(-request.prompt_tokens // 16)
        line = {
            "timestamp": request.arrival_s,
            "input_length": request.prompt_tokens,
            "output_length": request.output_tokens,
            # Of its own for every block and run: nothing is shared.
            "hash_ids": [10_000 * (1000 * run + n) + block for block in range(num_blocks)],
        }
        lines.append(json.dumps(line))
    trace.write_text("\n".join(lines) + "\n")
    options = {
        "backend": "openai",
        "base-url": served.endpoint.url,
        "model": served.endpoint.model,
        "dataset-name": "timed_trace",
        "dataset-path": str(trace),
        "num-prompts": str(len(requests)),
        "metric-percentiles": "95",
        "percentile-metrics": "ttft,tpot,itl,e2el",
        "result-dir": str(folder),
        "result-filename": "result.json",
        "timed-trace-chunk-hash-size": "16",
        "timed-trace-sec-multiplier": "1",
        "timed-trace-label-timestamp": "timestamp",
        "timed-trace-label-input-length": "input_length",
        "timed-trace-label-output-length": "output_length",
        "timed-trace-label-hash-ids": "hash_ids",
    }
    argv = [f"--{name}={value}" for name, value in options.items()]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [PYTHON, "-c", VLLM_BENCH, *argv, "--disable-tqdm", "--save-result"],
        check=True,
        timeout=300,
        cwd=folder,
        env=environment | {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"},
    )
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    assert result["completed"] == len(requests)
    return {
        "throughput_rps": result["request_throughput"],
        "ttft_mean_s": 1e-3 * result["mean_ttft_ms"],
        "tpot_mean_s": 1e-3 * result["mean_tpot_ms"],
        "latency_p95_s": 1e-3 * result["p95_e2el_ms"],
    }


@pytest.mark.nightly
def test_vllms_own_client_measures_the_same(
    served: Served, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    def by_ours(seed: int) -> dict[str, float]:
        records, _ = served.replay(requests, seed)
        assert all(record.completed for record in records)
        return summarize(records)

    def by_theirs(seed: int) -> dict[str, float]:
        return by_vllm_bench(served, requests, seed, tmp_path)

    requests = load_requests()
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    # In turn, so that a slow minute of the machine falls on both, and each as often first.
    for seed in range(1 + NUM_REPEATS):
        turns = [(by_ours, ours), (by_theirs, theirs)]
        for measure, found in turns if seed % 2 else turns[::-1]:
            found.append(measure(seed))
    # An engine that has just been started is still getting faster in the first of them.
    ours, theirs = ours[1:], theirs[1:]
    comparisons = [compare(name, ours, theirs) for name in theirs[0]]
    for comparison in comparisons:
        print(comparison)
        record_property(comparison.metric, str(comparison))
    for comparison in comparisons:
        assert comparison.noise <= MOST_NOISE, f"Too unquiet to compare on: {comparison}"
        assert comparison.difference <= comparison.noise + OVERHEAD, comparison


@dataclass(frozen=True)
class Compared:
    """Set the means of two clients beside one another, as shares of ours."""

    metric: str
    ours: float
    theirs: float
    noise: float

    @property
    def difference(self) -> float:
        return abs(self.ours - self.theirs) / self.ours

    def __str__(self) -> str:
        return (
            f"{self.metric}: ours {self.ours:.4g}, vllm bench serve {self.theirs:.4g}: "
            f"{self.difference:.1%} apart, noise {self.noise:.1%}"
        )


def compare(
    metric: str, ours: Sequence[dict[str, float]], theirs: Sequence[dict[str, float]]
) -> Compared:
    """Compare means; the noise is half the 95 % interval of their difference over repeated runs."""
    a, b = (np.array([run[metric] for run in runs]) for runs in (ours, theirs))
    interval = ttest_ind(a, b, equal_var=False).confidence_interval()
    own_s, their_s = KNOWN_ERRORS_S.get(metric, (0.0, 0.0))
    noise = (interval.high - interval.low) / 2 / a.mean()
    return Compared(metric, a.mean() - own_s, b.mean() - their_s, noise)
