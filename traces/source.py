"""The bytes of a trace, and what the user says about them in the URI."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qsl

from scoot_ray.core.errors import TraceError
from scoot_ray.core.object_store import is_remote, read_object

GZIP_MAGIC = b"\x1f\x8b"
# A few kilobytes can unpack to any size; the largest published trace is far below this.
MAX_UNPACKED_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Source:
    """Hold a file's bytes and the options that follow its path, as in `file.jsonl?unit=ms`.

    Attributes:
        uri: As the user wrote it.
        options: What the URI states, by name.
        content: The file's bytes, as they are on disk.
    """

    uri: str
    options: Mapping[str, str]
    content: bytes

    @classmethod
    def read(cls, uri: str) -> "Source":
        """Read a local file or one in an object store, packed with gzip or not.

        Raises:
            TraceError: If it cannot be read or is empty.
        """
        path, options = split_options(uri)
        try:
            content = _read_object(path) if is_remote(path) else _read_file(path)
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TraceError(f"Trace {uri}: cannot read the file: {reason}.") from None
        source = cls(uri, options, content)
        if not source.data.strip():
            raise TraceError(f"Trace {uri}: the file is empty.")
        return source

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes, as hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def path(self) -> str:
        """The URI without its options."""
        return split_options(self.uri)[0]

    def with_options(self, **options: object) -> str:
        """Return the URI with more options, in the quotes that a shell needs around it."""
        every = {**self.options, **options}
        return f"'{self.path}?{'&'.join(f'{name}={value}' for name, value in every.items())}'"

    @cached_property
    def data(self) -> bytes:
        """The file's bytes, unpacked."""
        return self._unpack() if self.content.startswith(GZIP_MAGIC) else self.content

    def _unpack(self) -> bytes:
        try:
            with gzip.open(BytesIO(self.content)) as file:
                data = file.read(MAX_UNPACKED_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise TraceError(
                f"Trace {self.uri}: the gzip file is damaged or cut short ({error}); fetch it "
                "again."
            ) from None
        if len(data) > MAX_UNPACKED_BYTES:
            raise TraceError(
                f"Trace {self.uri}: unpacks to more than {MAX_UNPACKED_BYTES / 2**30:.3g} GiB; "
                "cut it into parts."
            )
        return data

    @cached_property
    def text(self) -> str:
        """The unpacked bytes as text, without a byte-order mark."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise TraceError(
                f"Trace {self.uri}: expected text in UTF-8 (CSV, JSON lines or JSON), gzip or "
                "Parquet; got other binary data."
            ) from None


def _read_file(path: str) -> bytes:
    return Path(path.removeprefix("file://")).expanduser().read_bytes()


def _read_object(uri: str) -> bytes:
    if not uri.startswith(("s3://", "gs://")):
        raise ValueError("expected a local file, s3://..., gs://... or synthetic:NAME; download it")
    return read_object(uri)


def split_options(uri: str) -> tuple[str, dict[str, str]]:
    """Split `path?name=value&...` into the path and its options.

    Raises:
        TraceError: If what follows the question mark is not `name=value`, or a name comes twice.
    """
    path, mark, query = uri.partition("?")
    if not mark or _is_file(uri):  # a file name may hold a question mark itself
        return uri, {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise TraceError(
            f"Trace {uri}: expected `?name=value&...` after the path, got ?{query}."
        ) from None
    if len(dict(pairs)) < len(pairs):
        raise TraceError(f"Trace {uri}: an option is given twice; leave one out.")
    return path, dict(pairs)


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null byte
        return False
