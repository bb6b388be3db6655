"""Services by name, and names by pattern."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.comparison.closed_form import closed_form_services
from benchmarks.comparison.service import Service
from benchmarks.comparison.simulated import simulated_services
from scoot_ray.core.errors import StudyError, did_you_mean


def all_services(azure_trace: Path) -> dict[str, Service]:
    """List every service that there is; those of the Azure trace where it is."""
    services: list[Service] = [*simulated_services(azure_trace), *closed_form_services()]
    return {service.name: service for service in services}


def select(what: str, patterns: Iterable[str], names: Sequence[str]) -> list[str]:
    """List the names that patterns such as `bot-*` match, in the order of the patterns.

    Raises:
        StudyError: If a pattern matches nothing.
    """
    chosen: dict[str, None] = {}
    for pattern in patterns:
        matching = [name for name in names if fnmatchcase(name, pattern)]
        if not matching:
            raise StudyError(_unknown(what, pattern, names))
        chosen |= dict.fromkeys(matching)
    return list(chosen)


def _unknown(what: str, pattern: str, names: Sequence[str]) -> str:
    hint = did_you_mean(pattern, names)
    return f"{pattern!r} is no {what}.{hint} `scoot bench --list` names them all; * stands for any."
