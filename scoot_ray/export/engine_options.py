"""What the engine is started with: its options, its environment, and the secrets it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from trainables.backend import BACKENDS
from trainables.engines.launch import SECRET_FLAGS, LaunchCommand, without_secrets
from trainables.engines.vllm import flag

# Flags of vLLM that carry a secret, and the variable by which vLLM takes the same.
# Decided by whoever deploys, not by the study.
ADDRESS_FLAGS = frozenset({"host", "port", "uds"})


@dataclass(frozen=True)
class EngineOptions:
    """Hold what an engine is started with.

    Attributes:
        model: Hub name, folder or URL of the model.
        parameters: Values by the engine's own names, tuned ones over fixed ones.
        env: Variables that the study sets; never a secret.
        secrets: Names of the variables that hold secrets of the study.
    """

    model: str
    parameters: Mapping[str, Any]
    env: Mapping[str, str]
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, engine: EngineSection, config: Config) -> "EngineOptions":
        """Merge a study's engine with a configuration; None and addresses are left out."""
        merged = {**without_secret_flags(engine).fixed, **config}
        kept = {k: v for k, v in merged.items() if v is not None and k not in ADDRESS_FLAGS}
        env = without_secrets(engine.env)
        hidden = [name for name in engine.env if name not in env]
        hidden += [variable for name, variable in SECRET_FLAGS.items() if name in engine.fixed]
        return cls(engine.model, kept, env, tuple(dict.fromkeys(hidden)))

    @property
    def flags(self) -> list[str]:
        """The parameters as the engine's command line takes them, without the model."""
        return [word for name, value in self.parameters.items() for word in flag(name, value)]

    @property
    def model_folder(self) -> str | None:
        """The folder that holds the model; None where the engine fetches it by name."""
        return self.model if PurePosixPath(self.model).is_absolute() else None

    @property
    def is_hub_model(self) -> bool:
        """Whether the model comes from the Hugging Face Hub."""
        return self.model_folder is None and "://" not in self.model


def launch_command(engine: EngineSection, config: Config) -> LaunchCommand:
    """Return the command that serves a configuration, without the secrets of the study."""
    return BACKENDS[engine.kind].adapter.launch_command(without_secret_flags(engine), config)


def without_secret_flags(engine: EngineSection) -> EngineSection:
    """Leave out the fixed flags that carry a secret."""
    fixed = {name: value for name, value in engine.fixed.items() if name not in SECRET_FLAGS}
    return engine.model_copy(update={"fixed": fixed})
