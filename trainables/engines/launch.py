"""The command that starts an engine: what is run, and what may be shown of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scoot_ray.core.study import Study

HIDDEN = "(not recorded)"
# Flags that are secrets, and the variables that the engine reads them from as well.
SECRET_FLAGS = {
    "hf_token": "HF_TOKEN",
    "api_key": "VLLM_API_KEY",
    "admin_api_key": "SGLANG_ADMIN_API_KEY",
}

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|KEY$", re.IGNORECASE)


@dataclass(frozen=True)
class LaunchCommand:
    """Hold a command with the environment variables that it needs on top of the user's own.

    Attributes:
        argv: Program and arguments.
        env: Variables that the study sets; never a secret.
        files: Contents by name, of what the command reads in its working directory.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """Leave out the variables whose names say that they hold a secret, such as HF_TOKEN."""
    return {name: value for name, value in env.items() if not _SECRET.search(name)}


def offline_if_local(model: str) -> dict[str, str]:
    """Return the variable that keeps the Hugging Face libraries off the network, for a folder."""
    return {"HF_HUB_OFFLINE": "1"} if Path(model).is_dir() else {}


def recorded_study(study: Study) -> dict[str, Any]:
    """Return a study as it may be written down: its secrets are named and not told."""
    data = study.model_dump(mode="json")
    env, fixed = data["engine"]["env"], data["engine"]["fixed"]
    hidden_env = dict.fromkeys(env.keys() - without_secrets(env).keys(), HIDDEN)
    hidden_flags = dict.fromkeys(fixed.keys() & SECRET_FLAGS.keys(), HIDDEN)
    data["engine"] |= {"env": env | hidden_env, "fixed": fixed | hidden_flags}
    return data
