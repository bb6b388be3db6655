"""The processes that run studies: `scoot tune`, found, started and stopped.

A study outlives the page that started it, and one that was started elsewhere on this machine is
seen too: what runs is told by the processes, not by a list of ours.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from scoot_ray.core.errors import OutputError
from scoot_ray.core.study import Study
from scoot_ray.service.studies import TUNE_LOG, StudyFolder


@dataclass(frozen=True)
class Tuners:
    """Start and stop the processes of this machine's studies.

    Attributes:
        environment: In which studies are started: the user's own, not that of a Ray worker.
    """

    environment: Mapping[str, str]

    def running(self) -> dict[Path, psutil.Process]:
        """Return the process that tunes into each folder."""
        found: dict[Path, psutil.Process] = {}
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "tune" in words and any("scoot" in word for word in words):
                found |= dict.fromkeys(_outputs(process, words), process)
        return found

    def start(self, folder: StudyFolder, study: Study) -> None:
        """Begin a study or go on with it, in a process that outlives this one.

        Raises:
            OutputError: If it runs, or processes cannot be detached here.
        """
        if folder.path in self.running():
            raise OutputError(f"{folder.key} is running already.")
        setsid = shutil.which("setsid")
        if setsid is None:
            raise OutputError("Starting studies needs `setsid` (util-linux); use `scoot tune`.")
        # Ray ends the children of its workers; setsid's child is nobody's, after the fork.
        command = [setsid, "--fork", sys.executable, "-P", "-m", "scoot_ray", "tune"]
        command += [str(folder.study_file), "--output", str(folder.path), "--begin-or-resume"]
        if study.schedule is not None:
            command.append("--wait")
        with (folder.path / TUNE_LOG).open("ab") as log, _interruptible():
            subprocess.run(
                command,
                check=True,
                cwd=folder.path,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self, folder: StudyFolder) -> None:
        """Ask a study to end in good order, as Ctrl-C does; asked twice, it stops at once.

        Raises:
            OutputError: If it does not run here, or is another user's.
        """
        process = self.running().get(folder.path)
        try:
            if process is not None:
                process.send_signal(signal.SIGINT)
                return
        except psutil.AccessDenied:
            raise OutputError(f"{folder.key} is run by another user.") from None
        except psutil.NoSuchProcess:
            pass
        raise OutputError(f"{folder.key} is not running on this machine.")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let what this thread starts be interrupted: Ray's workers block SIGINT for their children."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _outputs(process: psutil.Process, words: Sequence[str]) -> Iterator[Path]:
    """Yield the folders that `scoot tune` writes to: the one it holds, or is going to."""
    if "--output" in words[:-1]:
        yield Path(words[words.index("--output") + 1])
    try:
        locks = [Path(file.path) for file in process.open_files()]
    except psutil.Error:
        return
    yield from (lock.parent for lock in locks if lock.name == ".lock")
