"""vLLM's OpenAI-compatible server, as a process on this machine."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.address import Address, UnixSocket
from trainables.engines.failure_rules import load_failure_rules
from trainables.engines.installed import InstalledEngine, ask_installed
from trainables.engines.launch import LaunchCommand, offline_if_local, without_secrets
from trainables.failure import FailureRule

SERVER_MODULE = "vllm.entrypoints.openai.api_server"

# Off unless given. Some versions know no `--no-` form of these, and all take their absence for it.
GIVEN_ONLY_WHEN_TRUE = frozenset(
    {
        "aggregate_engine_logging",
        "data_parallel_multi_port_external_lb",
        "disable_custom_all_reduce",
        "disable_log_stats",
        "enforce_eager",
    }
)

# Of its /metrics page; the first counts the steps, as a histogram of their tokens does.
COUNTERS = {
    "num_engine_steps": "vllm:iteration_tokens_total_count",
    "num_preemptions": "vllm:num_preemptions_total",
    "prefix_cache_queries": "vllm:prefix_cache_queries_total",
    "prefix_cache_hits": "vllm:prefix_cache_hits_total",
}

# Nothing is reported to anybody about a user's models.
NO_TELEMETRY = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}

_ASK_VLLM = """
import dataclasses, json, vllm
from vllm.engine.arg_utils import AsyncEngineArgs
names = [field.name for field in dataclasses.fields(AsyncEngineArgs)]
print(json.dumps({"version": vllm.__version__, "parameters": names}))
"""


class Vllm:
    """vLLM V1's API server on a Unix socket."""

    name = "vLLM"
    default_space = "vllm-v1"
    max_model_len_name = "max_model_len"
    has_twin = True
    failure_rules: Sequence[FailureRule] = load_failure_rules("vllm")
    last_words: Sequence[str] = ("Worker proc .* died unexpectedly", "EngineDeadError")
    counters: Mapping[str, str] = COUNTERS
    address: Callable[[int], Address] = UnixSocket

    def launch_command(self, engine: EngineSection, config: Config) -> LaunchCommand:
        """Return the command with one flag for each parameter."""
        argv = [engine.python, "-m", SERVER_MODULE, "--model", engine.model]
        for name, value in {**engine.fixed, **config}.items():
            argv += flag(name, value)
        return LaunchCommand(tuple(argv), without_secrets(engine.env))

    def environment(
        self, study: Study, config: Config, inherited: Mapping[str, str]
    ) -> dict[str, str]:
        """Keep vLLM from telling anybody, and give the CPU build's ranks their cores."""
        engine, service = study.engine, study.service
        env = {**inherited, **NO_TELEMETRY, **offline_if_local(engine.model)}
        if service.is_cpu:
            num_ranks = int({**engine.fixed, **config}.get("tensor_parallel_size", 1))
            cores = sorted(os.sched_getaffinity(0))
            slots = bundle_slots(num_ranks, env.get("CUDA_VISIBLE_DEVICES", ""))
            env["VLLM_CPU_OMP_THREADS_BIND"] = threads_bind(cores, service.num_gpus, slots)
        return env | engine.env

    def installed(self, python: str) -> InstalledEngine:
        """Ask for the fields of vLLM's `AsyncEngineArgs`."""
        return ask_installed(python, self.name, _ASK_VLLM, env=NO_TELEMETRY)


def flag(name: str, value: Any) -> list[str]:
    """Write one parameter as vLLM's command line wants it; None is left to vLLM."""
    option = name.replace("_", "-")
    if value is None or (value is False and name in GIVEN_ONLY_WHEN_TRUE):
        return []
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", str(value)]


def bundle_slots(num_ranks: int, visible_devices: str) -> list[int]:
    """Return which of the service's logical GPUs the trial holds, one per rank.

    Ray names them in CUDA_VISIBLE_DEVICES also where no GPU is; outside of Ray they are the first.
    """
    names = visible_devices.split(",")
    if len(names) == num_ranks and all(name.isdecimal() for name in names):
        return [int(name) for name in names]
    return list(range(num_ranks))


def threads_bind(cores: Sequence[int], num_gpus: int, slots: Sequence[int]) -> str:
    """Give each rank of the CPU build its cores, in the form of VLLM_CPU_OMP_THREADS_BIND.

    A slot stands for one of the service's GPUs and has its share of the machine whatever the
    parallelism, so configurations are compared at equal hardware and trials side by side do not
    meet. With more slots than cores, ranks share.
    """
    width = max(1, len(cores) // num_gpus)
    groups = []
    for slot in slots:
        start = slot * width % len(cores)
        groups.append(",".join(map(str, cores[start : start + width])))
    return "|".join(groups)
