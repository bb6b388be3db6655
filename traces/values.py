"""Values of a record: read strictly, with what was expected in the message."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# No context window comes near; larger values are another column, or damage.
MAX_TOKENS = 10_000_000
# The year 5138 in seconds. Epoch milliseconds taken for seconds lie beyond it.
MAX_TIME_S = 1e11


def number(value: Any) -> float:
    """Read a finite number, or text that is one.

    Raises:
        ValueError: If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"expected a number, got {shown(value)}")
    try:
        result = float(value)
    except OverflowError:
        raise ValueError("expected a number, got one beyond all limits") from None
    except ValueError:
        raise ValueError(f"expected a number, got {shown(value)}") from None
    if not math.isfinite(result):
        raise ValueError(f"expected a finite number, got {shown(value)}")
    return result


def token_count(value: Any) -> int:
    """Read a count of tokens, at least 0.

    Raises:
        ValueError: If it is not a whole number, or more than any model can hold.
    """
    count = number(value)
    if not (count.is_integer() and count >= 0):
        raise ValueError(f"expected a whole number of tokens, got {shown(value)}")
    if count > MAX_TOKENS:
        raise ValueError(f"expected at most {MAX_TOKENS:,} tokens, got {shown(value)}")
    return int(count)


def date_time(value: Any) -> float:
    """Read a date and time as seconds from 1970; without a zone it is taken for UTC.

    Raises:
        ValueError: If it is not one.
    """
    try:
        # Some files have seven or nine fractional digits; six are read and the rest ignored.
        moment = datetime.fromisoformat(str(value).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"expected a date and time, got {shown(value)}") from None


def block_hashes(value: Any) -> tuple[int, ...]:
    """Read a list of block identifiers.

    Raises:
        ValueError: If it is not a list of whole numbers.
    """
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise ValueError(f"expected hash_ids to be a list of whole numbers, got {shown(value)}")
    return tuple(value)


def text_or_none(fields: Mapping[str, Any], name: str) -> str | None:
    """Read a text that may be missing.

    Raises:
        ValueError: If it is something else than text.
    """
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"expected {name} to be text, got {shown(value)}")
    return value


def label(value: Any) -> str | None:
    """Read an identifier, text or a number; None where it is missing or empty.

    Raises:
        ValueError: If it is something else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"expected an identifier, got {shown(value)}")
    try:
        return str(value).strip() or None
    except ValueError:  # Python writes no integer of more than 4,300 digits
        raise ValueError("expected an identifier, got a number beyond all limits") from None


def shown(value: Any) -> str:
    """Show the start of a value in a message."""
    try:
        text = repr(value)
    except ValueError:
        text = "a number beyond all limits"
    except RecursionError:
        text = "a deeply nested value"
    return text if len(text) <= 60 else f"{text[:60]}..."
