"""The shell line that starts the engine, with the evidence as comments above it."""

import shlex

from scoot_ray.core.sections import EngineSection
from scoot_ray.core.space import Config
from scoot_ray.export.choice import Choice
from scoot_ray.export.engine_options import launch_command
from scoot_ray.export.plain_yaml import comments

END_OF_FILE = "END_OF_OPTIONS"


def to_command(choice: Choice) -> str:
    """Return the line; a secret is named in a comment, to be set beforehand."""
    notes = choice.evidence()
    if choice.options.secrets:
        notes.append(f"Set beforehand, not written here: {', '.join(choice.options.secrets)}")
    engine, config = choice.study.engine, choice.record.config
    files = launch_command(engine, config).files.items()
    written = "".join(here_document(name, content) for name, content in files)
    return comments(notes) + written + shell_line(engine, config) + "\n"


def here_document(name: str, content: str) -> str:
    """Return the lines by which a POSIX shell writes a file that the command reads."""
    return f"cat > {shlex.quote(name)} <<'{END_OF_FILE}'\n{content}{END_OF_FILE}\n"


def shell_line(engine: EngineSection, config: Config) -> str:
    """Return what starts the engine with a configuration, ready for a POSIX shell."""
    command = launch_command(engine, config)
    assignments = [f"{name}={shlex.quote(value)}" for name, value in command.env.items()]
    return " ".join([*assignments, shlex.join(command.argv)])
