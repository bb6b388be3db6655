"""Failure labels, checked on logs that vLLM 0.32.0 really wrote."""

from pathlib import Path

import pytest

from scoot_ray.core.trial import Phase, TrialState
from trainables.engines.engine_log import read_lines, tail
from trainables.engines.vllm_failures import VLLM_FAILURES
from trainables.failure import ENGINE_EXITED, diagnose

LOGS = Path(__file__).parent / "vllm_logs"
INFEASIBLE, FAILED = TrialState.INFEASIBLE, TrialState.FAILED

REAL_DEATHS = {
    "block_size_16": ("unsupported_block_size", INFEASIBLE, False),
    "batched_tokens_below_num_seqs": ("batched_tokens_too_small", INFEASIBLE, False),
    "batched_tokens_below_max_model_len": ("batched_tokens_too_small", INFEASIBLE, False),
    "heads_not_divisible": ("unsupported_parallelism", INFEASIBLE, False),
    "unknown_flag": ("wrong_flag", FAILED, True),
    "wrong_value": ("wrong_flag", FAILED, True),
    "missing_folder": ("model_not_found", FAILED, True),
    "not_on_hub": ("model_not_found", FAILED, True),
    "no_weights": ("model_not_found", FAILED, True),
    "no_tokenizer": ("tokenizer_not_found", FAILED, True),
    "max_model_len_too_long": ("max_model_len_too_long", FAILED, True),
}

# Lines from vLLM's sources and public issue threads, for what cannot be provoked on two cores.
TOLD_DEATHS = {
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has": (
        "out_of_memory",
        INFEASIBLE,
    ),
    "ValueError: Free memory on device cuda:0 (7.1/79.2 GiB) on startup is less than desired": (
        "out_of_memory",
        INFEASIBLE,
    ),
    "ValueError: No available memory for the cache blocks. Try increasing "
    "`gpu_memory_utilization` when initializing the engine.": ("kv_cache_too_small", INFEASIBLE),
    "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB "
    "KV cache is needed, which is larger than the available KV cache memory (9.01 GiB).": (
        "kv_cache_too_small",
        INFEASIBLE,
    ),
    "OSError: [Errno 98] Address already in use": ("address_in_use", FAILED),
    "OSError: [Errno 28] No space left on device": ("disk_full", FAILED),
    "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:94, unhandled": (
        "device_fault",
        FAILED,
    ),
    "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-66)": (
        "model_access",
        FAILED,
    ),
    "requests.exceptions.ConnectionError: Max retries exceeded with url: /api/models": (
        "model_unreachable",
        FAILED,
    ),
    "Cannot start /nowhere/python: No such file or directory": ("engine_not_installed", FAILED),
}


def test_every_log_is_a_case() -> None:
    assert {path.stem for path in LOGS.glob("*.log")} == set(REAL_DEATHS)


@pytest.mark.parametrize("name", REAL_DEATHS)
def test_a_real_death_is_labelled(name: str) -> None:
    rule = diagnose(VLLM_FAILURES, Phase.START, read_lines(LOGS / f"{name}.log"))
    assert (rule.cause, rule.state, rule.fatal) == REAL_DEATHS[name]


@pytest.mark.parametrize("line", TOLD_DEATHS)
def test_a_told_death_is_labelled(line: str) -> None:
    rule = diagnose(VLLM_FAILURES, Phase.START, [line])
    assert (rule.cause, rule.state) == TOLD_DEATHS[line]


def test_an_unknown_death_is_the_configurations() -> None:
    assert diagnose(VLLM_FAILURES, Phase.LOAD, ["KeyError: 7"]) is ENGINE_EXITED


def test_a_full_disk_wins_over_what_follows_from_it() -> None:
    lines = ["OSError: [Errno 28] No space left on device", "RuntimeError: out of memory"]
    assert diagnose(VLLM_FAILURES, Phase.LOAD, lines).cause == "disk_full"


def test_start_rules_do_not_explain_a_death_under_load() -> None:
    lines = ["api_server.py: error: unrecognized arguments: --x"]
    assert diagnose(VLLM_FAILURES, Phase.LOAD, lines) is ENGINE_EXITED


def test_causes_are_unique() -> None:
    causes = [rule.cause for rule in VLLM_FAILURES]
    assert len(set(causes)) == len(causes)


def test_the_tail_shows_the_cause_and_no_frames() -> None:
    lines = tail(read_lines(LOGS / "block_size_16.log"))
    assert "ValueError: No common block size for 16 (CPU_ATTN: [MultipleOf(32)])." in lines
    assert not any('File "' in line or "^^^" in line for line in lines)
    assert len(lines) <= 15
