"""What was found, in the form in which it is used: a launch command, and `best.yaml`."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from scoot_ray.core.errors import OutputError
from scoot_ray.core.result import Result
from scoot_ray.core.space import Config
from scoot_ray.core.study import Study
from scoot_ray.report.verdict import verdict
from trainables.engines.vllm import launch_command


def export(study: Study, result: Result, form: str) -> str:
    """Return the recommended configuration in the form called `form`.

    Raises:
        OutputError: If the form is unknown, or there is nothing to export.
    """
    if form not in FORMS:
        raise OutputError(f"--to {form!r}: expected one of {', '.join(FORMS)}.")
    if result.recommendation is None:
        raise OutputError(
            "The study has no completed trial yet, so there is nothing to export. "
            "Continue it with `scoot tune STUDY.yaml --resume`."
        )
    return FORMS[form](study, result)


def to_command(study: Study, result: Result) -> str:
    """Return a shell line that starts the engine, with the evidence as comments above it."""
    assert result.recommendation is not None
    evidence = [f"# {line}" for line in verdict(result).splitlines()]
    evidence.append(f"# Measured by: {result.measured_by}")
    return "\n".join([*evidence, _shell_line(study, result.recommendation.record.config)])


FORMS: Mapping[str, Callable[[Study, Result], str]] = {"command": to_command}


def write_best(study: Study, result: Result, path: Path) -> None:
    """Write `best.yaml`: configuration, metrics, confirmed SLO and launch command."""
    best = result.recommendation
    if best is None:
        return
    content: dict[str, Any] = {
        "study": study.name,
        "verdict": verdict(result),
        "measured_by": result.measured_by,
        "trial": best.record.number,
        "config": dict(best.record.config),
        "metrics": dict(best.record.metrics),
        "confirmed_slo": result.confirmed_slo(),
        "missed_limits": [str(limit) for limit in best.missed],
        "launch_command": _shell_line(study, best.record.config),
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=100), encoding="utf-8")


def _shell_line(study: Study, config: Config) -> str:
    command = launch_command(study.engine, config)
    assignments = [f"{name}={shlex.quote(value)}" for name, value in command.env.items()]
    return " ".join([*assignments, shlex.join(command.argv)])
