"""Servers that are lost by their own word, some seconds before they end."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

NEVER = "(?!)"
POLL_S = 0.25
PATIENCE_S = 0.5
"""How long a server may take to end after its last words, so that its exit status is known."""


async def spoken(log: Path, words: Sequence[str]) -> None:
    """Return once one of `words`, regular expressions, stands in a log that is being written.

    Without any, it never does.
    """
    pattern = re.compile("|".join(words or [NEVER]).encode())
    num_read = 0
    while True:
        with log.open("rb") as file:
            file.seek(num_read)
            text = file.read()
        if pattern.search(text):
            return
        num_read += text.rfind(b"\n") + 1  # a line that is half written is read again
        await asyncio.sleep(POLL_S)
