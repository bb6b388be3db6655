"""The journal: every fact of a study, one JSON line each, from which all else is rebuilt.

The first line is the study as resolved (`kind: "study"`). Then, in the order of events:
`suggestion` (an assignment was handed out), `trial` (it finished) and `resume` (the study went on,
perhaps with more observations). A line counts once its newline is on the disk; whatever follows the
last newline was torn by a crash and means "not written yet".
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scoot_ray.core.assignment import Assignment
from scoot_ray.core.errors import JournalError
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord

VERSION = 1
JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """Append to and read `<output>/journal.jsonl`; holds a path, never an open file."""

    path: Path

    def exists(self) -> bool:
        """Tell whether at least one whole line has been written."""
        return self.path.exists() and b"\n" in self.path.read_bytes()

    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write one line and force it to the disk.

        Raises:
            ValueError: If a value is not finite or not JSON.
        """
        try:
            line = json.dumps({"kind": kind, **fields}, allow_nan=False, sort_keys=False)
        except TypeError as error:
            raise ValueError(f"journal entry {kind!r}: {error}") from None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            _drop_torn_tail(file.fileno())
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def write_study(self, study: Mapping[str, Any], **facts: Any) -> None:
        """Write the first line: the resolved study and facts such as versions and trace hash."""
        self.append("study", {"version": VERSION, "study": dict(study), **facts})

    def write_suggestion(self, assignment: Assignment, *, took_s: float = 0.0) -> None:
        """Record that an assignment was handed out, and how long it took to find it."""
        self.append("suggestion", {**assignment.to_json(), "took_s": round(took_s, 6)})

    def write_trial(self, record: TrialRecord) -> None:
        """Record that a trial finished."""
        self.append("trial", record.to_json())

    def read(self) -> "History":
        """Fold the file into the study and its trials.

        Raises:
            JournalError: If a line in the middle is damaged, or the version is unknown.
        """
        entries = self.entries()
        try:
            return History.from_entries(entries)
        except JournalError as error:
            raise JournalError(f"{self.path}: {error}") from None

    def entries(self) -> list[dict[str, Any]]:
        """Read every whole line.

        Raises:
            JournalError: If one of them is damaged, naming its number.
        """
        lines = self.path.read_bytes().split(b"\n")[:-1]
        return [self._parse(line, number) for number, line in enumerate(lines, start=1)]

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise JournalError(
                f"{self.path}, line {number} is damaged ({error}). The journal is never repaired "
                "by guessing: restore the file, or start the study in another folder."
            ) from None
        if not isinstance(entry, dict) or "kind" not in entry:
            raise JournalError(f"{self.path}, line {number}: expected an object with a kind.")
        return entry


@dataclass(frozen=True)
class History:
    """What a journal says.

    Attributes:
        header: The study as resolved.
        trials: Finished trials, in the order of completion.
        unfinished: Assignments that were handed out and have not finished.
        num_known: How many of `trials` had finished when the last assignment was handed out.
        suggestions_s: How long each assignment took to find, in order.
    """

    header: Mapping[str, Any]
    trials: tuple[TrialRecord, ...]
    unfinished: tuple[Assignment, ...]
    suggestions_s: tuple[float, ...] = ()
    num_known: int = 0

    @classmethod
    def from_entries(cls, entries: Sequence[Mapping[str, Any]]) -> "History":
        """Fold journal entries; a trial that was written twice counts once, the first time."""
        if not entries or entries[0]["kind"] != "study":
            raise JournalError("The journal does not begin with its study.")
        header = entries[0]
        if header.get("version") != VERSION:
            raise JournalError(
                f"The journal has version {header.get('version')}; this program reads {VERSION}."
            )
        trials: dict[int, TrialRecord] = {}
        assigned: dict[int, Assignment] = {}
        suggestions_s: list[float] = []
        num_known = 0
        for number, entry in enumerate(entries[1:], start=2):
            try:
                if entry["kind"] == "trial":
                    record = TrialRecord.from_json(entry)
                    trials.setdefault(record.number, record)
                elif entry["kind"] == "suggestion":
                    assignment = Assignment.from_json(entry)
                    assigned.setdefault(assignment.number, assignment)
                    suggestions_s.append(float(entry.get("took_s", 0.0)))
                    num_known = len(trials)
            except (KeyError, TypeError, ValueError) as error:
                raise JournalError(
                    f"Line {number} of the journal is damaged: a {entry['kind']} with {error!r}."
                ) from None
        unfinished = tuple(a for number, a in assigned.items() if number not in trials)
        return cls(header, tuple(trials.values()), unfinished, tuple(suggestions_s), num_known)

    @property
    def pending(self) -> tuple[Config, ...]:
        """Configurations that are being measured."""
        return tuple(assignment.config for assignment in self.unfinished)


def _drop_torn_tail(descriptor: int) -> None:
    """Cut the file after its last newline, so that a new line never continues a torn one."""
    size = os.fstat(descriptor).st_size
    end = size
    while end > 0:
        start = max(0, end - 4096)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
