"""The simulator against Vidur, another discrete-event simulator of LLM inference, in speed.

Vidur is run from a checkout that has its own environment:

    git clone https://github.com/microsoft/vidur DIR
    cd DIR && python3.10 -m venv .venv && .venv/bin/pip install -r requirements.txt

Its measured attention times are Git LFS objects. Where the checkout lacks them, a stand-in from a
simple formula is written in their place: it decides how long Vidur says that a step takes, not how
long Vidur takes to say so.

Both get the same requests, KV blocks, token budget and number of sequences; prefix caching is off,
which Vidur does not have. Vidur's times are predicted for all inputs beforehand and cached; this is
not counted, nor are its plots and traces, which are off.
"""

import csv
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scoot_ray.core.metrics import summarize
from scoot_ray.core.request import Request
from scoot_ray.core.study import parse_study
from traces.synthetic import make_synthetic
from traces.workload import make_load
from trainables.simulator.fleet import Fleet
from trainables.simulator.twin import Twin

MODEL = "meta-llama/Llama-2-7b-hf"
CONFIG = {"max_num_seqs": 256, "max_num_batched_tokens": 2048, "enable_prefix_caching": False}
ATTENTION = Path("data/profiling/compute/a100", MODEL, "attention.csv")
# Run in Vidur's environment. Making the simulator trains its predictor, or loads it.
SCRIPT = """
import atexit, json, sys, time
from vidur.config import SimulationConfig
from vidur.simulator import Simulator
simulator = Simulator(SimulationConfig.create_from_cli_args())
atexit._clear()
started_s = time.process_time()
simulator.run()
cpu_s = time.process_time() - started_s
print(json.dumps({"cpu_s": cpu_s, "simulated_s": simulator._time}))
"""
FORESTS = "random_forrest_execution_time_predictor_config"  # Vidur's own spelling


@dataclass(frozen=True)
class Speed:
    """Hold what one simulator needed for one load.

    Attributes:
        simulated_s: Until the last request ended.
        cpu_s: Processor time.
        note: What the reader has to know.
    """

    simulator: str
    rate_rps: float
    num_requests: int
    simulated_s: float
    cpu_s: float
    note: str = ""


def compare(folder: Path, rates_rps: Sequence[float], repeats: int) -> list[Speed]:
    """Time both simulators on BOT loads of 100 seconds for Llama-2-7b on one A100.

    Args:
        folder: Vidur's checkout.
        rates_rps: Request rates, one load each.
        repeats: The fastest of so many runs counts.
    """
    note = "" if _has_attention(folder) else "stand-in for its attention profile"
    if note:
        write_stand_in(folder / ATTENTION)
    speeds = []
    for rate_rps in rates_rps:
        twin, requests = _twin_and_requests(rate_rps)
        ours = min((_serve(twin, requests) for _ in range(repeats)), key=lambda run: run[1])
        speeds.append(Speed("SCOOT-Ray", rate_rps, len(requests), *ours))
        num_blocks = twin.memory.num_kv_blocks
        theirs = min(
            (_vidur(folder, requests, num_blocks) for _ in range(repeats)), key=lambda run: run[1]
        )
        speeds.append(Speed("Vidur", rate_rps, len(requests), *theirs, note))
    return speeds


def _twin_and_requests(rate_rps: float) -> tuple[Twin, tuple[Request, ...]]:
    study = parse_study(
        {
            "name": "vidur",
            "engine": {"kind": "simulated", "model": MODEL, "fixed": {"max_model_len": 4096}},
            "service": {"num_gpus": 1, "accelerator": "A100-80GB"},
            "workload": {"trace": "synthetic:bot", "request_rate_rps": rate_rps},
            "objective": "interactive",
        }
    )
    trace = make_synthetic("synthetic:bot")
    load = make_load(trace, study.workload, share=1.0, max_model_len=4096, seed=0)
    return Twin.of(study, CONFIG), load.requests


def _serve(twin: Twin, requests: Sequence[Request]) -> tuple[float, float]:
    """Serve and summarise requests; return simulated and processor seconds."""
    started_s = time.process_time()
    fleet = Fleet([twin.make_engine(0)])
    summarize([sequence.to_record(1) for sequence in fleet.serve(requests)])
    return fleet.now_s, time.process_time() - started_s


def _vidur(folder: Path, requests: Sequence[Request], num_blocks: int) -> tuple[float, float]:
    """Let Vidur replay requests; return simulated and processor seconds."""
    with TemporaryDirectory() as scratch:
        trace = Path(scratch, "trace.csv")
        with trace.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["arrived_at", "num_prefill_tokens", "num_decode_tokens"])
            writer.writerows((r.arrival_s, r.prompt_tokens, r.output_tokens) for r in requests)
        options = {
            "metrics_config_output_dir": scratch,
            "request_generator_config_type": "trace_replay",
            "trace_request_generator_config_trace_file": trace,
            "replica_config_model_name": MODEL,
            "replica_config_device": "a100",
            "replica_scheduler_config_type": "sarathi",
            "sarathi_scheduler_config_chunk_size": CONFIG["max_num_batched_tokens"],
            "sarathi_scheduler_config_batch_size_cap": CONFIG["max_num_seqs"],
            "sarathi_scheduler_config_num_blocks": num_blocks,
            f"{FORESTS}_prediction_max_batch_size": CONFIG["max_num_seqs"],
            f"{FORESTS}_num_training_job_threads": 1,
            # One forest instead of a search among 27: prediction is not what is timed.
            f"{FORESTS}_num_estimators": 50,
            f"{FORESTS}_max_depth": 16,
            f"{FORESTS}_min_samples_split": 2,
            f"{FORESTS}_k_fold_cv_splits": 2,
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        arguments += [
            f"--no-metrics_config_{name}" for name in ("enable_chrome_trace", "store_plots")
        ]
        python = folder.resolve() / ".venv/bin/python"
        command = [str(python), "-c", SCRIPT, *arguments]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["simulated_s"], answer["cpu_s"]


def _has_attention(folder: Path) -> bool:
    """Tell whether the checkout has the measured profile, not a Git LFS pointer or a stand-in."""
    path = folder / ATTENTION
    return path.exists() and path.stat().st_size > 5_000_000


def write_stand_in(path: Path) -> None:
    """Write attention times of about the right size, from a bandwidth and a rate of products."""
    hidden_size, bytes_per_s, flops = 4096, 1.6e12, 180e12
    columns = ["batch_size", "prefill_chunk_size", "kv_cache_size"]
    columns += [f"time_stats.attn_{name}.median" for name in ("prefill", "decode")]
    fixed = {
        "n_embd": hidden_size,
        "n_q_head": 32,
        "n_kv_head": 32,
        "block_size": 16,
        "num_tensor_parallel_workers": 1,
    }
    cached = range(0, 4097, 256)
    rows: list[tuple[float, ...]] = []
    for batch_size in (1, *range(8, 257, 8)):
        for tokens in cached:
            decode_ms = 0.009 + 1e3 * batch_size * tokens * 4 * hidden_size / bytes_per_s
            rows.append((batch_size, 0, tokens, 0.0, decode_ms))
    for chunk in (1, *range(64, 4097, 64)):
        for tokens in cached:
            pairs = chunk * (tokens + chunk / 2)
            rows.append((1, chunk, tokens, 0.009 + 1e3 * pairs * 4 * hidden_size / flops, 0.0))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*fixed, *columns])
        writer.writerows((*fixed.values(), *row) for row in rows)
