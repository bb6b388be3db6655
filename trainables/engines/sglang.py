"""SGLang's server, `python -m sglang.launch_server`.

Its `/v1/completions` takes token ids, `ignore_eos`, `min_tokens` and `continuous_usage_stats`
(`srt/entrypoints/openai/protocol.py` of 0.5.23); `/health` answers 503 until its own warm-up ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.address import Address, LoopbackPort
from trainables.engines.failure_rules import load_failure_rules
from trainables.engines.installed import InstalledEngine, ask_installed
from trainables.engines.launch import LaunchCommand, offline_if_local, without_secrets
from trainables.failure import FailureRule

SERVER_MODULE = "sglang.launch_server"

# Of its /metrics page. Forward passes are counted by whether a CUDA graph was replayed.
COUNTERS = {
    "num_engine_steps": "sglang:cuda_graph_passes_total",
    "num_preemptions": "sglang:num_retracted_requests_total",
    "prefix_cache_queries": "sglang:prompt_tokens_total",
    "prefix_cache_hits": "sglang:cached_tokens_total",
}

_ASK_SGLANG = """
import argparse, json, sglang
from sglang.srt.server_args import ServerArgs
parser = argparse.ArgumentParser()
ServerArgs.add_cli_args(parser)
flags = [flag for action in parser._actions for flag in action.option_strings]
names = [flag.lstrip("-").replace("-", "_") for flag in flags]
print(json.dumps({"version": sglang.__version__, "parameters": names}))
"""


class Sglang:
    """SGLang 0.5 on a TCP port; it knows no Unix sockets."""

    name = "SGLang"
    default_space = "sglang"
    max_model_len_name = "context_length"
    has_twin = False
    failure_rules: Sequence[FailureRule] = load_failure_rules("sglang")
    last_words: Sequence[str] = ()
    counters: Mapping[str, str] = COUNTERS
    address: Callable[[int], Address] = LoopbackPort

    def launch_command(self, engine: EngineSection, config: Config) -> LaunchCommand:
        """Return the command with one flag for each parameter, and metrics switched on."""
        argv = [engine.python, "-m", SERVER_MODULE, "--model-path", engine.model]
        for name, value in {"enable_metrics": True, **engine.fixed, **config}.items():
            argv += flag(name, value)
        return LaunchCommand(tuple(argv), without_secrets(engine.env))

    def environment(
        self, study: Study, config: Config, inherited: Mapping[str, str]
    ) -> dict[str, str]:
        """Stay off the network for a model in a folder."""
        return {**inherited, **offline_if_local(study.engine.model), **study.engine.env}

    def installed(self, python: str) -> InstalledEngine:
        """Ask for the flags that `ServerArgs` registers, aliases included."""
        return ask_installed(python, self.name, _ASK_SGLANG)


def flag(name: str, value: Any) -> list[str]:
    """Write one parameter as SGLang's command line wants it.

    Switches are given or left out: SGLang has no `--no-` forms. None is left to SGLang.
    """
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return []
    return [option] if value is True else [option, str(value)]
