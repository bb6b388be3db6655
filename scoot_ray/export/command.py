"""The shell line that starts the engine, with the evidence as comments above it."""

import shlex

from scoot_ray.core.space import Config
from scoot_ray.core.study import EngineSection
from scoot_ray.export.choice import Choice
from scoot_ray.export.engine_options import launch_command
from scoot_ray.export.plain_yaml import comments


def to_command(choice: Choice) -> str:
    """Return the line; a secret is named in a comment, to be set beforehand."""
    notes = choice.evidence()
    if choice.options.secrets:
        notes.append(f"Set beforehand, not written here: {', '.join(choice.options.secrets)}")
    return comments(notes) + shell_line(choice.study.engine, choice.record.config) + "\n"


def shell_line(engine: EngineSection, config: Config) -> str:
    """Return what starts the engine with a configuration, ready for a POSIX shell."""
    command = launch_command(engine, config)
    assignments = [f"{name}={shlex.quote(value)}" for name, value in command.env.items()]
    return " ".join([*assignments, shlex.join(command.argv)])
