"""The seam behind which a trace format is recognised and read."""

from collections.abc import Callable
from dataclasses import dataclass

from traces.schema import Trace
from traces.source import Source


@dataclass(frozen=True)
class Format:
    """Recognise and read one trace format.

    Attributes:
        name: As it is printed.
        first_line: What a file's first line looks like, for the message when nothing matches.
        matches: Tells whether a source has this format, by its first line.
        load: Reads it; raises TraceError naming the line that is malformed.
        options: What the URI may state, as in `file.jsonl?unit=ms`.
    """

    name: str
    first_line: str
    matches: Callable[[Source], bool]
    load: Callable[[Source], Trace]
    options: tuple[str, ...] = ()
