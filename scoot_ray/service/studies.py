"""The folder that holds the studies, and what may be read of it.

No path comes from outside: a study is asked for by a key, and keys are those of the studies that
were found below the root. Symbolic links are not followed.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scoot_ray.core.errors import JournalError, OutputError, ScootError
from scoot_ray.core.journal import JOURNAL, History, Journal
from scoot_ray.core.study import Study, parse_study
from scoot_ray.core.trial import TrialRecord

STUDY_FILE = "study.yaml"
TUNE_LOG = "tune.log"
MAX_DEPTH = 4
TAIL_BYTES = 64 * 1024


@dataclass(frozen=True)
class StudyFolder:
    """One study below the root.

    Attributes:
        key: Its path below the root as one word, escaped as in a JSON pointer (RFC 6901).
        path: Its folder, absolute and without symbolic links.
    """

    key: str
    path: Path

    @property
    def journal(self) -> Journal:
        """The study's journal; it may not have been begun."""
        return Journal(self.path / JOURNAL)

    @property
    def study_file(self) -> Path:
        """The file that the study is started with, where it was started from the page."""
        return self.path / STUDY_FILE

    @property
    def changed_at_s(self) -> float:
        """When its journal, or else its folder, last changed; seconds since 1970."""
        path = self.journal.path
        return (path if path.exists() else self.path).stat().st_mtime

    def read(self) -> tuple[Study, History] | None:
        """Read the journal; None before its first line.

        Raises:
            ScootError: If it is damaged, or of another version of this program.
        """
        if not _is_plain_file(self.journal.path) or not self.journal.exists():
            return None
        status = self.journal.path.stat()
        return _read(self.journal, (status.st_ino, status.st_size, status.st_mtime_ns))

    def tune_log(self) -> str:
        """Return the end of what `scoot tune` has printed, if it was started from the page."""
        return read_tail(self.path, TUNE_LOG)

    def engine_log(self, record: TrialRecord) -> str:
        """Return the end of a trial's engine log; empty where there is none."""
        return read_tail(self.path, f"trials/{record.trial_id}/engine.log")


@dataclass(frozen=True)
class Studies:
    """All studies below a root folder.

    Attributes:
        root: Absolute and without symbolic links.
    """

    root: Path

    @classmethod
    def below(cls, root: Path) -> "Studies":
        """Take a folder as the root; it is made where only its last part is missing.

        Raises:
            OutputError: If it cannot be that, saying why.
        """
        try:
            root.mkdir(exist_ok=True)
            root = root.resolve(strict=True)
        except OSError as error:
            raise OutputError(
                f"{root} cannot hold studies ({error.strerror}); give a folder."
            ) from None
        if (root / JOURNAL).exists():
            raise OutputError(f"{root} is a study itself; give the folder above it.")
        return cls(root)

    def all(self) -> list[StudyFolder]:
        """List the studies, the last changed first."""
        found = [StudyFolder(_key(path.relative_to(self.root)), path) for path in self._walk()]
        return sorted(found, key=lambda folder: (-folder.changed_at_s, folder.key))

    def find(self, key: str) -> StudyFolder | None:
        """Return the study with a key."""
        return next((folder for folder in self.all() if folder.key == key), None)

    def create(self, name: str, text: str) -> StudyFolder:
        """Make the folder of a new study, with its study file.

        Args:
            name: Of a valid study; it has no separators.
            text: Of the study file, readable for its owner only: it may hold secrets.

        Raises:
            OutputError: If there is such a folder already, or it cannot be written.
        """
        folder = StudyFolder(name, self.root / name)
        try:
            folder.path.mkdir()
            with os.fdopen(
                os.open(folder.study_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w"
            ) as file:
                file.write(text)
        except FileExistsError:
            raise OutputError(
                f"There is a folder {name} already; give the study another name."
            ) from None
        except OSError as error:
            raise OutputError(f"Cannot write {folder.path}: {error.strerror}.") from None
        return folder

    def _walk(self) -> Iterator[Path]:
        for name, folders, files in os.walk(self.root):
            path = Path(name)
            if path != self.root and any(
                _is_plain_file(path / f) for f in (JOURNAL, STUDY_FILE) if f in files
            ):
                folders.clear()
                yield path
            elif len(path.relative_to(self.root).parts) >= MAX_DEPTH:
                folders.clear()
            else:
                folders[:] = [folder for folder in folders if not folder.startswith(".")]


def read_tail(root: Path, name: str) -> str:
    """Return the last 64 KiB of a file below `root` as text; empty where there is no such file.

    Links out of `root`, pipes and devices count as no file.
    """
    try:
        path = (root / name).resolve(strict=True)
        if not path.is_relative_to(root):
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return ""
        return os.pread(descriptor, TAIL_BYTES, max(0, status.st_size - TAIL_BYTES)).decode(
            errors="replace"
        )
    finally:
        os.close(descriptor)


@lru_cache(maxsize=64)
def _read(journal: Journal, _stamp: tuple[int, ...]) -> tuple[Study, History]:
    """Read a journal once for every state of its file; `_stamp` tells the states apart."""
    try:
        history = journal.read()
        return parse_study(history.header["study"], str(journal.path)), history
    except ScootError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise JournalError(f"{journal.path} is damaged: {error!r}.") from None


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _key(relative: Path) -> str:
    return relative.as_posix().replace("~", "~0").replace("/", "~1")
