"""The code blocks of README and docs.

A block that is not run in the tests has a comment before it that says why:
`<!-- not run: needs a GPU -->`. Its language is always stated.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"sh", "yaml", "python", "text", "console"}
"""`text` and `console` are what a program prints."""

SHELL = {">", "|", "&&"}
"""Where the words of a command end."""

_REASON = re.compile(r"<!-- not run: (.+?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page and line, its text, and why it is not run, if it is not."""

    page: Path
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in their order."""
    reason = None
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "html_block":
            match = _REASON.search(token.content)
            reason = match and match[1]
        elif token.type == "fence":
            assert token.map is not None
            yield Block(page, token.map[0] + 1, token.info, token.content, reason)
            reason = None


def commands_of(block: Block) -> Iterator[list[str]]:
    """Yield the words of every `scoot` command in a shell block, without the program."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and Path(words[0]).name == "scoot":
            yield list(takewhile(lambda word: word not in SHELL, words[1:]))
