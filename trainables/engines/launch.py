"""The command that starts an engine: what is run, and what may be shown of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|KEY$", re.IGNORECASE)


@dataclass(frozen=True)
class LaunchCommand:
    """Hold a command with the environment variables that it needs on top of the user's own.

    Attributes:
        argv: Program and arguments.
        env: Variables that the study sets; never a secret.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """Leave out the variables whose names say that they hold a secret, such as HF_TOKEN."""
    return {name: value for name, value in env.items() if not _SECRET.search(name)}
