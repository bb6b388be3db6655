"""Numbers that a URI may state about its file, as in `prompts.jsonl?output_tokens=256`."""

import math

from scoot_ray.core.errors import TraceError
from traces.source import Source
from traces.values import MAX_TOKENS


def tokens_option(source: Source, name: str) -> int | None:
    """Return a count of tokens that the URI states, if it does.

    Raises:
        TraceError: If it is not a whole number from 1 to the limit.
    """
    text = source.options.get(name)
    if text is None:
        return None
    # isdecimal() also holds for digits of other scripts, which int() reads as well.
    if not (text.isdecimal() and len(text) < 20 and 0 < int(text) <= MAX_TOKENS):
        raise TraceError(
            f"Trace {source.uri}: {name}={text}: expected a whole number from 1 to {MAX_TOKENS:,}."
        )
    return int(text)


def number_option(source: Source, name: str) -> float | None:
    """Return a number above 0 that the URI states, if it does.

    Raises:
        TraceError: If it is not one.
    """
    text = source.options.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise TraceError(f"Trace {source.uri}: {name}={text}: expected a number above 0.")
    return value


def require_tokens(source: Source, name: str, what: str) -> int:
    """Return a count of tokens that the URI states, or ask for it.

    Raises:
        TraceError: If it is missing, saying `what` the file lacks.
    """
    value = tokens_option(source, name)
    if value is None:
        raise TraceError(
            f"Trace {source.uri}: {what}; state it for all requests, such as "
            f"{source.with_options(**{name: 256})}."
        )
    return value
