"""Finding the processes of a test, by a mark on their command lines."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def processes_with(mark: str) -> list[psutil.Process]:
    """List living processes whose command line holds `mark`."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(mark in word for word in line):
            found.append(process)
    return found


def wait_for_number(mark: str, number: int, limit_s: float) -> list[psutil.Process]:
    """Wait until `number` processes carry the mark, at most `limit_s`; return those that do."""
    deadline_s = time.monotonic() + limit_s
    while len(found := processes_with(mark)) != number and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return found


def wait_for_file(folder: Path, name: str, limit_s: float) -> None:
    """Wait until a file of that name is somewhere below `folder`, at most `limit_s`."""
    deadline_s = time.monotonic() + limit_s
    while not any(folder.rglob(name)):
        assert time.monotonic() < deadline_s, f"no {name} below {folder} after {limit_s:g} s"
        time.sleep(0.05)


async def until(is_so: Callable[[], bool], limit_s: float) -> None:
    """Wait until something is so; processes that are not there yet, or no more, make it not so."""
    async with asyncio.timeout(limit_s):
        while not _holds(is_so):  # noqa: ASYNC110  # nothing tells us
            await asyncio.sleep(0.01)


def _holds(is_so: Callable[[], bool]) -> bool:
    try:
        return is_so()
    except (ValueError, psutil.NoSuchProcess):
        return False
