"""What a benchmark leaves behind: what it found, and what that was made with."""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scoot_ray.core.errors import OutputError

PACKAGES = ("torch", "botorch", "scikit-learn", "pymoo", "numpy", "ray", "aiohttp", "uvloop")


def write_result(path: Path, **found: Any) -> None:
    """Write findings as JSON, below the command, the commit and the machine that made them.

    Raises:
        OutputError: If the file cannot be written.
    """
    content = {"command": command_line(), "commit": current_commit(), **machine(), **found}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rounded(content), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write the result to {path}: {error.strerror}.") from None


def machine(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Tell what numbers depend on; the load average says whether others were at work."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "num_cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "versions": {name: version(name) for name in packages},
    }


def command_line() -> str:
    """Return the command that runs, as typed after the interpreter's name."""
    module = sys.modules["__main__"].__spec__
    if module is None:
        return shlex.join(sys.argv)
    return shlex.join(["python", "-m", module.name.removesuffix(".__main__"), *sys.argv[1:]])


@cache
def current_commit() -> str:
    """Name what runs: the checkout's commit, marked if the code was changed, or the version.

    A process runs what it was started from, whatever is committed meanwhile.
    """
    try:
        commit = _git("rev-parse", "--short=7", "HEAD")
        # Results are written while others run.
        code = (".", ":!benchmarks/results")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *code)
    except (OSError, subprocess.CalledProcessError):
        try:
            return f"scoot-ray {version('scoot-ray')}"
        except PackageNotFoundError:
            return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).resolve().parents[1]), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def rounded(value: Any) -> Any:
    """Return the same with five significant digits: more are noise, and half of the file."""
    match value:
        case float():
            return float(f"{value:.5g}")
        case Mapping():
            return {key: rounded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [rounded(inner) for inner in value]
        case _:
            return value
