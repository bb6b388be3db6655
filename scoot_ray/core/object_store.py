"""Files in an object store: whole ones, because S3 and Google Cloud Storage have no append."""

import contextlib
import functools
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pyarrow import fs

from scoot_ray.core.errors import OutputError

SCHEMES = ("s3", "gs")


def is_remote(text: str) -> bool:
    """Tell whether a text names something in an object store rather than a file."""
    return "://" in text and not text.startswith("file://")


@dataclass(frozen=True)
class ObjectStore:
    """Hold the URI of a folder in an object store; the credentials are the environment's.

    What is written is there whole or not at all. Pickles as its URI, so it can go to other nodes.

    Attributes:
        uri: `s3://bucket/folder` or `gs://bucket/folder`.
    """

    uri: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.uri)
        # Not shown: it may hold a secret.
        if parts.username or parts.password or parts.query or parts.fragment:
            raise OutputError(
                f"Expected {parts.scheme}://BUCKET/FOLDER and nothing else. Give credentials and "
                "other settings by the environment, such as AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL or "
                "GOOGLE_APPLICATION_CREDENTIALS: a URI is printed and written down."
            )
        if parts.scheme not in SCHEMES or not parts.netloc or not parts.path.strip("/"):
            raise OutputError(
                f"{self.uri}: expected a folder by path, or s3://BUCKET/FOLDER or "
                "gs://BUCKET/FOLDER."
            )

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None if there is none.

        Raises:
            OSError: If the store does not answer, or refuses.
        """
        filesystem, folder = _open(self.uri)
        with contextlib.suppress(FileNotFoundError):
            with filesystem.open_input_stream(f"{folder}/{name}") as stream:
                content: bytes = stream.read()
            return content
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole.

        Raises:
            OSError: If the store does not answer, or refuses.
        """
        filesystem, folder = _open(self.uri)
        with filesystem.open_output_stream(f"{folder}/{name}") as stream:
            stream.write(content)


def read_object(uri: str) -> bytes:
    """Return the content of one file by its URI.

    Raises:
        OSError: If it is not there, or the store does not answer, or refuses.
    """
    filesystem, path = _open(uri)
    with filesystem.open_input_stream(path) as stream:
        content: bytes = stream.read()
    return content


@functools.lru_cache(maxsize=8)
def _open(uri: str) -> tuple[Any, str]:
    filesystem, folder = fs.FileSystem.from_uri(uri)
    return filesystem, folder.rstrip("/")
