"""Where a study's files go: a folder, or an object store that outlives the machine."""

import contextlib
import hashlib
import logging
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import JOURNAL, History, Journal
from scoot_ray.core.object_store import ObjectStore, is_remote
from scoot_ray.output_folder import exclusive

PUBLISHED = ("report.html", "best.yaml")

logger = logging.getLogger(__name__)


def open_output(text: str) -> "Output":
    """Return the output that a path or URI names.

    Raises:
        OutputError: If it is neither.
    """
    if is_remote(text):
        return MirroredOutput(_local_copy(text.rstrip("/")), ObjectStore(text.rstrip("/")))
    return Output(Path(text.removeprefix("file://")).expanduser())


@dataclass(frozen=True)
class Output:
    """A folder on a file system, shared between nodes or not.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def where(self) -> str:
        """The output as a person names it."""
        return str(self.path)

    @property
    def journal(self) -> Journal:
        """The study's journal."""
        return Journal(self.path / JOURNAL)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the output for this process.

        Raises:
            OutputError: If it cannot be written, or another process holds it.
        """
        with exclusive(self.path):
            yield

    def fetch(self) -> None:
        """Make the journal readable here: it is."""

    def history(self) -> History:
        """Read the study that is here.

        Raises:
            OutputError: If there is none.
            JournalError: If its journal is damaged.
        """
        self.require_study()
        return self.journal.read()

    def require_study(self) -> None:
        """Check that there is a study here, and make it readable.

        Raises:
            OutputError: If there is none.
        """
        self.fetch()
        if not self.journal.exists():
            raise OutputError(
                f"{self.where} holds no study: expected a journal.jsonl. Give the folder that "
                "`scoot tune` wrote, such as runs/NAME."
            )

    def read(self, name: str) -> bytes | None:
        """Return the content of a file by its path in the output; None if there is no such file."""
        file = self.path / name
        return file.read_bytes() if file.is_file() else None

    def keep(self, folder: Path) -> None:
        """Bring a trial's files from the node that wrote them: a shared folder has them."""

    def publish(self) -> None:
        """Bring the report to where it belongs: it is there."""


@dataclass(frozen=True)
class MirroredOutput(Output):
    """An object store, with a local copy that is written first.

    The journal is appended to and fsynced locally, and the whole of it is mirrored with every line.
    What the store holds is the truth: a local copy counts only where it continues it.

    Attributes:
        path: The local copy, the same for every run on this machine.
        store: What outlives the machine.
    """

    store: ObjectStore

    @property
    def where(self) -> str:
        """The output's URI."""
        return self.store.uri

    @property
    def journal(self) -> "MirroredJournal":
        """The study's journal."""
        return MirroredJournal(self.path / JOURNAL, self.store)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the local copy, take over what the store has, and show that it can be written."""
        with exclusive(self.path):
            self.fetch()
            with _as_output_error(self.store):
                self.store.write("running.txt", f"{socket.gethostname()}\n".encode())
            yield
            with self._bringing_results():
                self.journal.mirror()

    def fetch(self) -> None:
        """Take over the store's journal."""
        with _as_output_error(self.store):
            stored = self.store.read(JOURNAL)
        local = self.journal.path
        here = local.read_bytes() if local.exists() else b""
        if stored is not None and here.startswith(stored):
            return  # the same, or lines that did not get there any more
        if here and not (stored or b"").startswith(here):
            aside = _free_name(local)
            local.rename(aside)
            logger.warning("%s holds another journal; the local one is now %s", self.where, aside)
        if stored is not None:
            _write_whole(local, stored)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, from here or from the store; None if neither has it."""
        with _as_output_error(self.store):
            return super().read(name) or self.store.read(name)

    def keep(self, folder: Path) -> None:
        """Bring a trial's files to the store and free the disk; without them the trial counts."""
        try:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = f"trials/{folder.name}/{file.relative_to(folder)}"
                self.store.write(name, file.read_bytes())
        except OSError as error:
            logger.warning("The files of a trial stay in %s: %s", folder, error)
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self) -> None:
        """Bring the report to the store."""
        with self._bringing_results():
            for name in PUBLISHED:
                if (self.path / name).exists():
                    self.store.write(name, (self.path / name).read_bytes())

    @contextlib.contextmanager
    def _bringing_results(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.where} does not take the results: {error}. They are in {self.path}; the "
                "next run on this machine brings them there."
            ) from None


@dataclass(frozen=True)
class MirroredJournal(Journal):
    """A journal whose every line is brought to an object store as well."""

    store: ObjectStore

    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write one line to the disk, then mirror the journal; a store that is away can wait."""
        super().append(kind, fields)
        try:
            self.mirror()
        except OSError as error:
            logger.warning("%s is behind by a line or more: %s", self.store.uri, error)

    def mirror(self) -> None:
        """Bring the journal to the store.

        Raises:
            OutputError: If somebody else has written there meanwhile; nothing is overwritten.
            OSError: If the store does not answer, or refuses.
        """
        content = self.path.read_bytes()
        if not content.startswith(self.store.read(JOURNAL) or b""):
            raise OutputError(
                f"Another process writes to {self.store.uri} (running.txt there names its "
                f"machine). This one stops; what it has measured is in {self.path}."
            )
        self.store.write(JOURNAL, content)


@contextlib.contextmanager
def _as_output_error(store: ObjectStore) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"Cannot use the output {store.uri}: {error}.") from None


def _local_copy(uri: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "scoot-ray" / hashlib.sha256(uri.encode()).hexdigest()[:16]


def _free_name(path: Path) -> Path:
    numbers = range(1, 10_000)
    names = (path.with_name(f"{path.name}.aside-{number}") for number in numbers)
    return next(name for name in names if not name.exists())


def _write_whole(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
