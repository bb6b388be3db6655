"""The bytes of a trace, and what the user says about them in the URI."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl

from scoot_ray.core.errors import TraceError


@dataclass(frozen=True)
class Source:
    """Hold a file's bytes and the options that follow its path, as in `file.jsonl?unit=ms`.

    Attributes:
        uri: As the user wrote it.
        options: What the URI states, by name.
        content: The file's bytes.
    """

    uri: str
    options: Mapping[str, str]
    content: bytes

    @classmethod
    def read(cls, uri: str) -> "Source":
        """Read a local file.

        Raises:
            TraceError: If it cannot be read, is not text, or is empty.
        """
        path, options = split_options(uri)
        if "://" in path and not path.startswith("file://"):
            raise TraceError(f"Trace {uri}: expected a local file or synthetic:NAME; download it.")
        try:
            content = Path(path.removeprefix("file://")).expanduser().read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TraceError(f"Trace {uri}: cannot read the file: {reason}.") from None
        source = cls(uri, options, content)
        if not source.first_line:
            raise TraceError(f"Trace {uri}: the file is empty.")
        return source

    @property
    def sha256(self) -> str:
        """Hash of the bytes, as hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def text(self) -> str:
        """The bytes as text, without a byte-order mark."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise TraceError(
                f"Trace {self.uri}: expected a text file (CSV or JSON lines), got binary data; "
                "unpack it if it is compressed."
            ) from None

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that are not blank, numbered from 1."""
        for number, line in enumerate(self.text.split("\n"), start=1):
            stripped = line.strip()
            if stripped:
                yield number, stripped

    @cached_property
    def first_line(self) -> str:
        """The first line that is not blank; empty if there is none."""
        return next((line for _, line in self.lines()), "")


def split_options(uri: str) -> tuple[str, dict[str, str]]:
    """Split `path?name=value&...` into the path and its options.

    Raises:
        TraceError: If what follows the question mark is not `name=value`.
    """
    path, mark, query = uri.partition("?")
    if not mark or Path(uri).is_file():  # a file name may hold a question mark itself
        return uri, {}
    try:
        return path, dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise TraceError(
            f"Trace {uri}: expected `?name=value&...` after the path, got ?{query}."
        ) from None
