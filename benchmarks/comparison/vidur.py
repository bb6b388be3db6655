"""Services on Vidur, another project's simulator, named `vidur-WORKLOAD-MODEL-GPUSxGPU`.

Its schedulers and memory are its own, and so are its measured times of operators and collectives
(`benchmarks/vidur_replica.py` says what is not): an engine model in which nothing is ours but the
requests. It runs in its own environment; `benchmarks/vidur.py` says how that is made. One replica
is run, with its share of the requests.
"""

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.comparison.line_process import LineProcess
from benchmarks.comparison.replay import FIRST_RATE_RPS, JUDGE_SEEDS, ReplayedService
from benchmarks.token_budget import MAX_MODEL_LEN, TOKEN_BUDGET
from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.errors import StudyError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.metrics import summarize
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.request import Request, RequestRecord
from scoot_ray.core.sections import WorkloadSection
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    FloatParameter,
    IntegerParameter,
    SearchSpace,
)
from traces import load_trace
from traces.schema import Trace
from traces.workload import make_load

VIDUR = Path("../vidur")
"""Where Vidur is looked for: beside the checkout. It is not shipped."""

MODELS = {
    "7b": ("meta-llama/Llama-2-7b-hf", 1),
    "20b": ("internlm/internlm-20b", 1),
    "34b": ("codellama/CodeLlama-34b-Instruct-hf", 2),
    "70b": ("meta-llama/Llama-2-70b-hf", 4),
}
"""Vidur's name of each model, and on how many GPUs of 80 GB it is served by default."""
ACCELERATORS = ("A100", "H100")
NUM_GPUS = (4, 8)
WORKLOADS = ("bot", "sql", "rec", "cls")
DURATION_S = 100.0  # as in the paper; tests of 30 s said little
TIME_LIMIT_S = 600  # what takes six times its load has failed
START_S = 40.0


@dataclass(frozen=True)
class VidurService(ReplayedService):
    """Describe a service to tune on Vidur.

    Attributes:
        checkout: Folder of Vidur, with its environment in `.venv`.
    """

    judge_seeds: ClassVar[Sequence[int]] = JUDGE_SEEDS[:4]

    model: str
    num_gpus: int
    accelerator: str
    checkout: Path

    @property
    def name(self) -> str:
        """Name the service by everything that makes it."""
        return f"vidur-{self.workload}-{self.model}-{self.num_gpus}x{self.accelerator}"

    @cached_property
    def trace(self) -> Trace:
        """The requests."""
        return load_trace(self._section.trace)

    @cached_property
    def space(self) -> SearchSpace:
        """Eight mixed parameters, under vLLM's names, and three known constraints."""
        sizes = tuple(size for size in (1, 2, 4, 8) if size <= self.num_gpus)
        return SearchSpace(
            [
                ChoiceParameter("tensor_parallel_size", sizes),
                ChoiceParameter("pipeline_parallel_size", (1, 2, 4)),
                IntegerParameter("max_num_seqs", 8, 1024),
                IntegerParameter("max_num_batched_tokens", 64, 8192),
                ChoiceParameter("block_size", (8, 16, 32)),
                BooleanParameter("enable_chunked_prefill"),
                FloatParameter("gpu_memory_utilization", 0.6, 0.98),
                FloatParameter("watermark", 0.0, 0.2),
            ],
            {
                "tensor_parallel_size": MODELS[self.model][1],
                "pipeline_parallel_size": 1,
                "max_num_seqs": 256,
                "max_num_batched_tokens": MAX_MODEL_LEN,
                "block_size": 16,
                "enable_chunked_prefill": False,
                "gpu_memory_utilization": 0.9,
                "watermark": 0.01,
            },
            [
                KnownConstraint("gpus_suffice", lambda c: _num_gpus_of(c) <= self.num_gpus),
                *TOKEN_BUDGET,
            ],
        )

    def measure(self, config: Config, seed: int) -> Outcome:
        """Measure a configuration under the arrival order of a seed.

        Raises:
            StudyError: If Vidur is not there, or dies.
        """
        share = _num_gpus_of(config) / self.num_gpus
        requests = make_load(
            self.trace, self._section, share=share, max_model_len=MAX_MODEL_LEN, seed=seed
        ).requests
        answer = vidur_process(self.checkout).ask(self._question(config, requests))
        if "crash" in answer:
            failure = Failure(Phase.START, "crash", answer["crash"])
            return Outcome(TrialState.INFEASIBLE, failure=failure, phases_s={"start": START_S})
        records = [_record(r, *times) for r, times in zip(requests, answer["times"], strict=True)]
        load_s = max(record.finished_s for record in records)
        phases_s = {"start": START_S, "load": load_s}
        return Outcome(TrialState.COMPLETE, summarize(records, share=share), phases_s=phases_s)

    @property
    def _section(self) -> WorkloadSection:
        return WorkloadSection(
            trace=f"synthetic:{self.workload}",
            request_rate_rps=self.rate_rps or FIRST_RATE_RPS,
            duration_s=DURATION_S,
        )

    def _question(self, config: Config, requests: Sequence[Request]) -> dict[str, Any]:
        """Say a configuration in Vidur's words; see `benchmarks/vidur_replica.py`."""
        device, is_chunked = self.accelerator.lower(), config["enable_chunked_prefill"]
        tokens = "chunk_size" if is_chunked else "max_tokens_in_batch"
        return {
            "replica": {
                "model_name": MODELS[self.model][0],
                "device": device,
                "network_device": f"{device}_dgx",
                "tensor_parallel_size": config["tensor_parallel_size"],
                "num_pipeline_stages": config["pipeline_parallel_size"],
                "memory_margin_fraction": 1.0 - config["gpu_memory_utilization"],
            },
            "scheduler": {
                "batch_size_cap": config["max_num_seqs"],
                tokens: config["max_num_batched_tokens"],
                "block_size": config["block_size"],
                "watermark_blocks_fraction": config["watermark"],
            },
            "is_chunked": is_chunked,
            "time_limit_s": TIME_LIMIT_S,
            "requests": [[r.arrival_s, r.prompt_tokens, r.output_tokens] for r in requests],
        }


def vidur_services(checkout: Path) -> list[VidurService]:
    """List every combination, whether or not Vidur is there."""
    return [
        VidurService(workload, model, num_gpus, accelerator, checkout.resolve())
        for workload in WORKLOADS
        for model in MODELS
        for num_gpus in NUM_GPUS
        for accelerator in ACCELERATORS
    ]


@lru_cache(maxsize=1)
def vidur_process(checkout: Path) -> LineProcess:
    """Return the process that runs Vidur; it ends with this one.

    Raises:
        StudyError: If Vidur is not there.
    """
    python = checkout / ".venv/bin/python"
    if not python.exists():
        raise StudyError(
            f"Vidur is missing: expected {python}. benchmarks/vidur.py says how it is installed; "
            "name its folder with --vidur, or leave its services out with --services."
        )
    replica = Path(__file__).resolve().parent.parent / "vidur_replica.py"
    # Beside the script lie modules of ours by the names of Vidur's, so it is not looked into (-P).
    command = [str(python), "-P", str(replica)]
    process = LineProcess(command, "Vidur", {"PYTHONPATH": str(checkout)}, checkout)
    atexit.register(process.close)
    return process


def _num_gpus_of(config: Config) -> int:
    return int(config["tensor_parallel_size"] * config["pipeline_parallel_size"])


def _record(request: Request, first_token_s: float, last_token_s: float) -> RequestRecord:
    return RequestRecord(
        due_s=request.arrival_s,
        sent_s=request.arrival_s,
        first_token_s=first_token_s,
        last_token_s=last_token_s,
        finished_s=last_token_s,
        prompt_tokens=request.prompt_tokens,
        output_tokens=request.output_tokens,
    )
