"""A Ray Serve application that serves the configuration, for the installed Ray.

Source: `ray.serve.schema.ServeDeploySchema` and `LLMConfig` of `ray.serve.llm` in Ray 2.60.
"""

import importlib.metadata
import re
from pathlib import PurePosixPath
from typing import Any

from scoot_ray.core.errors import StudyError
from scoot_ray.export.choice import Choice
from scoot_ray.export.plain_yaml import to_yaml
from scoot_ray.export.platform import CPU, platform_of
from scoot_ray.export.pod import resource_name
from trainables.hardware import find_accelerator

# Ray's own names of accelerators, by the study's. Nodes announce an A100 without its memory.
ACCELERATOR_TYPES = {
    "A10G": "A10G",
    "A100-40GB": "A100",
    "A100-80GB": "A100",
    "B200": "B200",
    "H100": "H100",
    "H200": "H200",
    "L4": "L4",
    "L40S": "L40S",
    "MI300X": "AMD-Instinct-MI300X-OAM",
}


def to_ray_serve(choice: Choice) -> str:
    """Return the application, for `serve run FILE` or `serve deploy FILE`."""
    application = {
        "name": resource_name(choice),
        "route_prefix": "/",
        "import_path": "ray.serve.llm:build_openai_app",
        "args": {"llm_configs": [_llm_config(choice)]},
    }
    return to_yaml([*choice.evidence(), *_notes(choice)], {"applications": [application]})


def _llm_config(choice: Choice) -> dict[str, Any]:
    options = choice.options
    # Ray refuses the served name as an argument of the engine.
    kwargs = {k: v for k, v in options.parameters.items() if k != "served_model_name"}
    config: dict[str, Any] = {
        "model_loading_config": {"model_id": _model_id(choice), "model_source": options.model},
        "engine_kwargs": kwargs,
        "deployment_config": {"num_replicas": choice.num_replicas},
    }
    config |= _hardware(choice.study.service.accelerator)
    if options.env:
        config["runtime_env"] = {"env_vars": dict(options.env)}
    return config


def _hardware(accelerator: str) -> dict[str, Any]:
    if platform_of(accelerator) is CPU:
        return {"accelerator_config": {"kind": "cpu"}}
    try:
        known = ACCELERATOR_TYPES.get(find_accelerator(accelerator).name)
    except StudyError:  # another GPU than the simulator knows; any will do
        known = None
    return {"accelerator_type": known} if known else {}


def _model_id(choice: Choice) -> str:
    options = choice.options
    name = options.parameters.get("served_model_name")
    folder = options.model_folder
    return str(name) if name else PurePosixPath(folder).name if folder else options.model


def _notes(choice: Choice) -> list[str]:
    notes = []
    bundled = _bundled_vllm()
    if bundled and choice.engine_version != bundled:
        measured = f"vLLM {choice.engine_version}" if choice.engine_version else "no engine"
        notes.append(
            f"This Ray's extra ray[llm] brings vLLM {bundled}; {measured} was measured. "
            "Check that it takes these engine_kwargs."
        )
    if choice.options.secrets:
        names = ", ".join(choice.options.secrets)
        notes.append(f"Needs in the environment of every Ray node, not written here: {names}")
    elif choice.options.is_hub_model:
        notes.append("For a gated model: set HF_TOKEN in the environment of every Ray node")
    if choice.options.model_folder is not None:
        notes.append(f"Needs on every Ray node: {choice.options.model_folder}")
    return notes


def _bundled_vllm() -> str | None:
    """Return the version of vLLM that the installed Ray's own extra asks for."""
    for requirement in importlib.metadata.requires("ray") or ():
        found = re.match(
            r"vllm(?:\[[^]]*\])?\s*==\s*([\w.]+)\s*;.*extra == [\"']llm[\"']", requirement
        )
        if found:
            return found[1]
    return None
