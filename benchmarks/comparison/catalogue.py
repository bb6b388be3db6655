"""Services by name, and names by pattern."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.comparison.closed_form import closed_form_services
from benchmarks.comparison.service import Service
from benchmarks.comparison.simulated import AZURE_TRACE, simulated_services
from benchmarks.comparison.vidur import VIDUR, vidur_services
from scoot_ray.core.errors import StudyError, did_you_mean


@dataclass(frozen=True)
class Sources:
    """Say where lies what is not ours to ship.

    Attributes:
        azure_trace: Its services are left out where the file is not there.
        vidur: Folder of Vidur; its services cannot be run where it is not there.
    """

    azure_trace: Path = AZURE_TRACE
    vidur: Path = VIDUR


def all_services(sources: Sources) -> dict[str, Service]:
    """List every service that there is; those of the Azure trace where it is."""
    services: list[Service] = [
        *simulated_services(sources.azure_trace),
        *closed_form_services(),
        *vidur_services(sources.vidur),
    ]
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
