"""vLLM's OpenAI-compatible server, as a process on this machine."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scoot_ray.core.errors import EngineError
from scoot_ray.core.space import Config
from scoot_ray.core.study import EngineSection, Study
from trainables.engines.endpoint import Endpoint
from trainables.engines.failure_rules import load_failure_rules
from trainables.engines.guarded_process import GuardedProcess, inherited_environment
from trainables.engines.installed import InstalledEngine
from trainables.engines.launch import LaunchCommand, without_secrets
from trainables.failure import FailureRule

SERVER_MODULE = "vllm.entrypoints.openai.api_server"
IMPORT_LIMIT_S = 300.0

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


class VllmEngine:
    """Start and stop one vLLM server; its log and working directory are the trial's folder."""

    failure_rules: Sequence[FailureRule] = load_failure_rules("vllm")

    def __init__(self, study: Study, folder: Path) -> None:
        self._study = study
        self._folder = folder
        self._process: GuardedProcess | None = None
        self._socket_folder: Path | None = None

    @property
    def log(self) -> Path:
        """The file that everything the server prints goes to."""
        return self._folder / "engine.log"

    async def start(self, config: Config) -> Endpoint:
        """Launch the server on a Unix socket of its own: there is no port to be taken."""
        # Not in the trial's folder: the path of a socket may have at most 107 characters.
        self._socket_folder = Path(tempfile.mkdtemp(prefix="scoot-"))
        socket = self._socket_folder / "vllm.sock"
        command = launch_command(self._study.engine, config)
        self._process = await GuardedProcess.start(
            [*command.argv, "--uds", str(socket)],
            env=self._environment(config),
            folder=self._folder,
            log=self.log,
        )
        return Endpoint(self._study.engine.model, socket=socket, counters=COUNTERS)

    async def wait_exit(self) -> int | None:
        """Return the server's exit status as soon as it has ended."""
        assert self._process is not None, "wait_exit() follows start()"
        return await self._process.wait_exit()

    async def stop(self) -> None:
        """End the server and its workers.

        Raises:
            InfrastructureError: If processes are left.
        """
        try:
            if self._process is not None:
                await self._process.stop()
        finally:
            self._process = None
            if self._socket_folder is not None:
                shutil.rmtree(self._socket_folder, ignore_errors=True)

    def _environment(self, config: Config) -> dict[str, str]:
        engine, service = self._study.engine, self._study.service
        env = inherited_environment() | NO_TELEMETRY
        if Path(engine.model).is_dir():
            env["HF_HUB_OFFLINE"] = "1"
        if service.accelerator.upper() == "CPU":
            num_ranks = int({**engine.fixed, **config}.get("tensor_parallel_size", 1))
            cores = sorted(os.sched_getaffinity(0))
            slots = bundle_slots(num_ranks, env.get("CUDA_VISIBLE_DEVICES", ""))
            env["VLLM_CPU_OMP_THREADS_BIND"] = threads_bind(cores, service.num_gpus, slots)
        return env | engine.env


def launch_command(engine: EngineSection, config: Config) -> LaunchCommand:
    """Return the command that serves the study's model with a configuration.

    Args:
        engine: Which Python, model and fixed flags.
        config: The tuned parameters; they win over fixed flags of the same name.
    """
    argv = [engine.python, "-m", SERVER_MODULE, "--model", engine.model]
    for name, value in {**engine.fixed, **config}.items():
        argv += flag(name, value)
    return LaunchCommand(tuple(argv), without_secrets(engine.env))


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


@functools.cache
def installed_vllm(python: str) -> InstalledEngine:
    """Ask an interpreter for its vLLM's version and arguments; importing vLLM takes seconds.

    Raises:
        EngineError: If the interpreter or vLLM is not there.
    """
    advice = "Set engine.python to the Python of an environment in which vLLM is installed."
    try:
        reply = subprocess.run(
            [python, "-c", _ASK_VLLM],
            env=inherited_environment() | NO_TELEMETRY,
            cwd=tempfile.gettempdir(),
            capture_output=True,
            text=True,
            timeout=IMPORT_LIMIT_S,
            check=False,
        )
    except OSError as error:
        raise EngineError(f"Cannot run {python}: {error.strerror}. {advice}") from None
    except subprocess.TimeoutExpired:
        raise EngineError(
            f"{python} took more than {IMPORT_LIMIT_S:.0f} s to import vLLM. {advice}"
        ) from None
    if reply.returncode != 0:
        last_line = (reply.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise EngineError(f"{python} cannot import vLLM ({last_line}). {advice}")
    return _parse_reply(reply.stdout)


def _parse_reply(output: str) -> InstalledEngine:
    # vLLM may print notes of its own before our line.
    facts: Mapping[str, Any] = json.loads(output.strip().splitlines()[-1])
    return InstalledEngine("vLLM", facts["version"], frozenset(facts["parameters"]))
