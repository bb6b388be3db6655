"""The load clients that are compared: how each is run, and where it says what it saw."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.load_client_process import OUTPUT_TOKENS, PROMPT_TOKENS
from benchmarks.timing_server import MODEL

ROOT = Path(__file__).parents[1]

# vLLM's own command wants the metadata of a package named vllm, which the CPU build has not.
_VLLM_BENCH = """
from vllm.benchmarks import serve
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
serve.add_cli_args(parser)
serve.main(parser.parse_args())
"""


@dataclass(frozen=True)
class Server:
    """Name the timing server's two addresses."""

    url: str
    uds: Path


@dataclass(frozen=True)
class Seen:
    """Hold what a client reported, in seconds; None where it tells nothing."""

    ttft_mean_s: float
    tpot_mean_s: float
    lag_p99_s: float | None = None


class Client(Protocol):
    """One load client, as a program."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    def command(self, server: Server, rate_rps: float, num: int, folder: Path) -> list[str]:
        """Return the program and its arguments; it may write into `folder`."""
        ...

    def environment(self) -> dict[str, str]:
        """Return the program's environment."""
        ...

    def seen(self, output: str, folder: Path) -> Seen:
        """Read what it reported, from what it printed or wrote."""
        ...


@dataclass(frozen=True)
class Own:
    """A loop of this project's own: the client of a trial, or the plain one."""

    name: str
    kind: str
    on_socket: bool

    def command(self, server: Server, rate_rps: float, num: int, folder: Path) -> list[str]:
        """Return the command of `load_client_process`."""
        module = "benchmarks.load_client_process"
        argv = [sys.executable, "-m", module, self.kind, "--url", server.url]
        argv += ["--rate", str(rate_rps), "--num", str(num)]
        return [*argv, "--uds", str(server.uds)] if self.on_socket else argv

    def environment(self) -> dict[str, str]:
        """Return ours, with this project on the path."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}

    def seen(self, output: str, folder: Path) -> Seen:
        """Read the line of JSON."""
        told: Mapping[str, float] = json.loads(output.splitlines()[-1])
        return Seen(told["ttft_mean_s"], told["tpot_mean_s"], told["schedule_lag_p99_s"])


@dataclass(frozen=True)
class GuideLlm:
    """GuideLLM, in an environment of its own."""

    python: Path
    tokenizer: Path
    name: str = "GuideLLM"

    def command(self, server: Server, rate_rps: float, num: int, folder: Path) -> list[str]:
        """Return `guidellm run` with Poisson arrivals."""
        return [
            *(str(self.python), "-m", "guidellm", "run", "--disable-console"),
            *("--backend", f"kind=openai_http,target={server.url},model={MODEL}"),
            *("--profile", f"kind=poisson,rate={rate_rps:g}"),
            *("--constraint", f"kind=max_requests,count={num}"),
            *("--tokenizer", f"kind=hf_auto,model={self.tokenizer}"),
            "--data",
            f"kind=synthetic_text,prompt_tokens={PROMPT_TOKENS},output_tokens={OUTPUT_TOKENS}",
            *("--output", f"kind=json,path={folder / 'guidellm.json'}"),
        ]

    def environment(self) -> dict[str, str]:
        """Return ours, less what would change its imports or use the network."""
        return _foreign_environment()

    def seen(self, output: str, folder: Path) -> Seen:
        """Read its report; its `inter_token_latency` is what all others call TPOT."""
        report: Any = json.loads((folder / "guidellm.json").read_text())
        metrics = report["benchmarks"][0]["metrics"]
        ttft_ms, tpot_ms = (
            metrics[name]["successful"]["mean"]
            for name in ("time_to_first_token_ms", "inter_token_latency_ms")
        )
        return Seen(1e-3 * ttft_ms, 1e-3 * tpot_ms)


@dataclass(frozen=True)
class VllmBench:
    """`vllm bench serve`, in vLLM's environment."""

    python: Path
    tokenizer: Path
    name: str = "vllm bench serve"

    def command(self, server: Server, rate_rps: float, num: int, folder: Path) -> list[str]:
        """Return its command with random prompts and Poisson arrivals."""
        return [
            *(str(self.python), "-c", _VLLM_BENCH, "--backend", "openai"),
            *("--base-url", server.url, "--model", MODEL, "--tokenizer", str(self.tokenizer)),
            *("--dataset-name", "random", "--random-input-len", str(PROMPT_TOKENS)),
            *("--random-output-len", str(OUTPUT_TOKENS), "--num-prompts", str(num)),
            *("--request-rate", f"{rate_rps:g}", "--ignore-eos", "--disable-tqdm"),
            *("--save-result", "--result-dir", str(folder), "--result-filename", "vllm.json"),
        ]

    def environment(self) -> dict[str, str]:
        """Return ours, less what would change its imports or use the network."""
        return _foreign_environment()

    def seen(self, output: str, folder: Path) -> Seen:
        """Read its result file."""
        result: Mapping[str, float] = json.loads((folder / "vllm.json").read_text())
        if not result["completed"]:
            raise ValueError("none of its requests completed")
        return Seen(1e-3 * result["mean_ttft_ms"], 1e-3 * result["mean_tpot_ms"])


def _foreign_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
