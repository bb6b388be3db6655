"""Choices to export: a study of a real vLLM and a simulated one, with the same numbers."""

from typing import Any

from scoot_ray.core.assignment import Role
from scoot_ray.core.objective import Limit
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.export import Choice
from scoot_ray.export.selection import Selection, as_recommendation
from tests.unit.scoot_ray.results import OBJECTIVES

TOKEN = "hf_do_not_write_me"
BASE: dict[str, Any] = {
    "tensor_parallel_size": 1,
    "max_num_seqs": 256,
    "enable_chunked_prefill": True,
    "enable_prefix_caching": True,
    "gpu_memory_utilization": 0.9,
    "enforce_eager": False,
}


def study(**sections: dict[str, Any]) -> Study:
    """Return a study of vLLM on four A100s; `sections` change single keys of it."""
    data: dict[str, Any] = {
        "name": "Bot.Llama2_7b",
        "engine": {
            "kind": "vllm",
            "model": "meta-llama/Llama-2-7b-hf",
            "fixed": {"max_model_len": 4096, "hf_token": TOKEN},
            "env": {"VLLM_LOGGING_LEVEL": "WARNING", "HF_TOKEN": TOKEN},
        },
        "service": {"num_gpus": 4, "accelerator": "A100-80GB"},
        "workload": {"trace": "synthetic:bot", "request_rate_rps": 10},
        "search": {"observations": 3},
        "confirm": {"repeats": 2, "finalists": 1},
    }
    return parse_study({**data, **{key: {**data[key], **sections[key]} for key in sections}})


def trials() -> list[TrialRecord]:
    """Return a default, a recommended trial 1, a trial 2 on the front, and two confirmations."""
    changed = {
        **BASE,
        "tensor_parallel_size": 2,
        "enable_prefix_caching": False,
        "enforce_eager": True,
    }
    return [
        _trial(0, BASE, 1.0, 0.10, Role.DEFAULT),
        _trial(1, changed, 0.2, 0.06),
        _trial(2, {**changed, "max_num_seqs": 64}, 0.9, 0.05),
        _trial(3, {**changed, "max_num_seqs": 32}, 2.0, 0.20),
        _trial(4, changed, 0.3, 0.07, Role.CONFIRM),
        _trial(5, changed, 0.4, 0.06, Role.CONFIRM),
    ]


def result(measured_by: str = "vLLM 0.32.0, which knows all 7 flags of the study") -> Result:
    """Return the result of these trials, with a limit that trial 1 meets."""
    folded = Result.from_trials(trials(), OBJECTIVES, (Limit("ttft_mean_s", 0.5),))
    return Result(**{**vars(folded), "measured_by": measured_by})


def choice(
    selection: Selection = Selection(),
    measured_by: str = "vLLM 0.32.0, which knows all 7 flags of the study",
    **sections: dict[str, Any],
) -> Choice:
    """Return what `selection` picks."""
    found = result(measured_by)
    record, reason = selection.select(found)
    return Choice(study(**sections), as_recommendation(found, record), reason, "ab" * 32, "cd" * 32)


def simulated_choice() -> Choice:
    """Return the recommended configuration of a simulated study."""
    measured_by = "the embedded simulator, meta-llama/Llama-2-7b-hf on A100-80GB"
    return choice(measured_by=measured_by, engine={"kind": "simulated"})


def _trial(
    number: int, config: dict[str, Any], ttft_s: float, tpot_s: float, role: Role = Role.SEARCH
) -> TrialRecord:
    metrics = {"ttft_mean_s": ttft_s, "tpot_mean_s": tpot_s, "throughput_rps": 5.0 + number}
    return TrialRecord(number, config, TrialState.COMPLETE, metrics, role=role)
