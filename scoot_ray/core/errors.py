"""What can go wrong, as a tree.

ScootError
├── UserError                the person can mend it; one message, exit status 2
│   ├── StudyError           the study file says something impossible
│   │   └── InvalidStudyError    its mistakes, each with its key and line
│   ├── SpaceError           a parameter, constraint or configuration is not valid
│   ├── TraceError           a trace cannot be read or holds nothing usable
│   ├── OutputError          the output folder holds another study, or cannot be written
│   ├── EngineError          the installed engine does not fit the study
│   ├── ClusterError         the cluster cannot hold the study
│   └── ServiceError         the web page cannot be served as asked
├── JournalError             the journal is damaged in the middle
└── InfrastructureError      a trial was lost for reasons that are not its configuration's

A message says what was expected, what came, and what to do.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class ScootError(Exception):
    """Base of every error that SCOOT-Ray raises on purpose."""


class UserError(ScootError):
    """Something that the person at the keyboard can mend."""


class StudyError(UserError):
    """The study file says something impossible."""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a study file.

    Attributes:
        location: Keys and indices from the top of the file to what is wrong; empty for all of it.
        message: What was expected, what came, what to write.
        line: Where it stands in the file, counted from 1; None where there is no file.
    """

    location: tuple[str | int, ...]
    message: str
    line: int | None = None

    @property
    def path(self) -> str:
        """The location as a person writes it: `limits.0.metric`."""
        return ".".join(map(str, self.location))

    def __str__(self) -> str:
        line = () if self.line is None else (f"line {self.line}",)
        path = (self.path,) if self.location else ()
        return f"{', '.join([*line, *path]) or 'study'}: {self.message}"


class InvalidStudyError(StudyError):
    """The study file has these mistakes.

    Attributes:
        mistakes: All that were found.
    """

    def __init__(self, heading: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join([heading, *(f"  {mistake}" for mistake in mistakes)]))
        self.mistakes = tuple(mistakes)


class SpaceError(UserError):
    """A parameter, constraint or configuration is not valid."""


class TraceError(UserError):
    """A trace cannot be read or holds nothing usable."""


class OutputError(UserError):
    """The output folder holds another study, or cannot be written."""


class EngineError(UserError):
    """The installed engine does not fit the study."""


class ClusterError(UserError):
    """The cluster cannot hold the study."""


class ServiceError(UserError):
    """The web page cannot be served as asked."""


class JournalError(ScootError):
    """The journal is damaged in the middle; nothing in it is guessed at."""


class InfrastructureError(ScootError):
    """A trial was lost for reasons that are not its configuration's."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence, with a space before it, that offers the known name closest to `name`.

    Empty where none is close.
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""
