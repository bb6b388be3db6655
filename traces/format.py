"""The seam behind which a trace format is recognised and read."""

from collections.abc import Callable
from dataclasses import dataclass

from traces.records import Records
from traces.schema import Trace


@dataclass(frozen=True)
class Format:
    """Recognise and read one trace format.

    Attributes:
        name: As it is printed.
        head: What a file starts with, for the message when nothing matches.
        matches: Tells whether records have this format, by their columns or first object.
        load: Reads them; raises TraceError saying what is wrong with the file.
        options: What the URI may state, as in `file.jsonl?unit=ms`.
    """

    name: str
    head: str
    matches: Callable[[Records], bool]
    load: Callable[[Records], Trace]
    options: tuple[str, ...] = ()
