"""What an installed engine says about itself, asked before a study costs anything."""

import difflib
import functools
import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scoot_ray.core.errors import EngineError
from trainables.engines.guarded_process import inherited_environment

IMPORT_LIMIT_S = 300.0


@dataclass(frozen=True)
class InstalledEngine:
    """Name an installed engine's version and the parameters it takes.

    Attributes:
        name: As people call it.
        version: As it reports it.
        parameters: Names of its own arguments, with underscores.
    """

    name: str
    version: str
    parameters: frozenset[str]

    def require_known(self, parameters: Iterable[str]) -> None:
        """Check that the engine takes every one of `parameters`.

        Raises:
            EngineError: Naming each unknown one, the version, and what may have been meant.
        """
        unknown = [name for name in parameters if name not in self.parameters]
        if unknown:
            complaints = "; ".join(f"{name}{self._did_you_mean(name)}" for name in unknown)
            raise EngineError(
                f"{self.name} {self.version} does not know: {complaints}. Remove it from the "
                "study's space or engine.fixed, or install the version that has it."
            )

    def _did_you_mean(self, name: str) -> str:
        close = difflib.get_close_matches(name, sorted(self.parameters), n=1)
        return f" (did you mean {close[0]}?)" if close else ""


def ask_installed(
    python: str, name: str, script: str, *, env: Mapping[str, str] | None = None
) -> InstalledEngine:
    """Ask an interpreter for its engine; each is asked once, since importing one takes seconds.

    Args:
        python: The interpreter.
        name: The engine's, as people call it.
        script: Prints a JSON object with `version` and the list `parameters` as its last line.
        env: Variables on top of the inherited ones.

    Raises:
        EngineError: If the interpreter or the engine is not there.
    """
    return _ask(python, name, script, tuple((env or {}).items()))


@functools.cache
def _ask(python: str, name: str, script: str, env: tuple[tuple[str, str], ...]) -> InstalledEngine:
    advice = f"Set engine.python to the Python of an environment in which {name} is installed."
    try:
        reply = subprocess.run(
            [python, "-c", script],
            env=inherited_environment() | dict(env),
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
            f"{python} took more than {IMPORT_LIMIT_S:.0f} s to import {name}. {advice}"
        ) from None
    if reply.returncode != 0:
        last_line = (reply.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise EngineError(f"{python} cannot import {name} ({last_line}). {advice}")
    # The engine may print notes of its own before our line.
    facts: Mapping[str, Any] = json.loads(reply.stdout.strip().splitlines()[-1])
    return InstalledEngine(name, facts["version"], frozenset(facts["parameters"]))
