"""TensorRT-LLM's server, `trtllm-serve`, with its options in a YAML file.

Command line and requests as in TensorRT-LLM 1.3.0rc (`tensorrt_llm/commands/serve.py`,
`tensorrt_llm/serve/openai_protocol.py`): what `--extra_llm_api_options` names overrides every flag,
an unknown key in it ends the server, and `/v1/completions` takes token ids. Its `/metrics` is a
list of iterations and counts nothing that we read.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from trainables.engines.address import Address, LoopbackPort
from trainables.engines.failure_rules import load_failure_rules
from trainables.engines.installed import InstalledEngine, ask_installed
from trainables.engines.launch import LaunchCommand, offline_if_local, without_secrets
from trainables.failure import FailureRule

# What the script `trtllm-serve` runs; as a module it runs in the Python that the study names.
SERVER_MODULE = "tensorrt_llm.commands.serve"
OPTIONS_FILE = "trtllm_options.yaml"

_ASK_TENSORRT_LLM = """
import json, tensorrt_llm
from pydantic import BaseModel
from tensorrt_llm.llmapi.llm_args import TorchLlmArgs
def names(model, prefix=""):
    for name, field in model.model_fields.items():
        yield prefix + name
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from names(kind, f"{prefix}{name}.")
print(json.dumps({"version": tensorrt_llm.__version__, "parameters": list(names(TorchLlmArgs))}))
"""


class TensorRtLlm:
    """TensorRT-LLM 1.x, PyTorch backend, on a TCP port; it knows no Unix sockets."""

    name = "TensorRT-LLM"
    default_space = "tensorrt_llm"
    max_model_len_name = "max_seq_len"
    has_twin = False
    failure_rules: Sequence[FailureRule] = load_failure_rules("tensorrt_llm")
    last_words: Sequence[str] = ()
    counters: Mapping[str, str] = {}
    address: Callable[[int], Address] = LoopbackPort

    def launch_command(self, engine: EngineSection, config: Config) -> LaunchCommand:
        """Return the command, with every parameter in the YAML file that it reads."""
        argv = (engine.python, "-m", SERVER_MODULE, "serve", engine.model)
        options = yaml.safe_dump(nested({**engine.fixed, **config}), sort_keys=False)
        return LaunchCommand(
            (*argv, "--extra_llm_api_options", OPTIONS_FILE),
            without_secrets(engine.env),
            {OPTIONS_FILE: options},
        )

    def environment(
        self, study: Study, config: Config, inherited: Mapping[str, str]
    ) -> dict[str, str]:
        """Keep it from telling anybody; stay off the network for a model in a folder."""
        model = study.engine.model
        no_telemetry = {"TRTLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        return {**inherited, **no_telemetry, **offline_if_local(model), **study.engine.env}

    def installed(self, python: str) -> InstalledEngine:
        """Ask for the fields of `TorchLlmArgs` and of the sections below it."""
        return ask_installed(python, self.name, _ASK_TENSORRT_LLM)


def nested(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn names with dots into sections; None is left to the engine."""
    options: dict[str, Any] = {}
    for path, value in parameters.items():
        if value is None:
            continue
        *sections, name = path.split(".")
        section = options
        for key in sections:
            section = section.setdefault(key, {})
        section[name] = value
    return options
