"""JSON lines: recognised by the keys of the first object."""

import json
from collections.abc import Mapping
from typing import Any

from traces.source import Source


def parse_object(line: str) -> dict[str, Any]:
    """Read one line.

    Raises:
        ValueError: If it is not a JSON object.
    """
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, got {line[:60]}")
    return value


def first_object(source: Source) -> Mapping[str, Any]:
    """Return the first line's object; empty if it is not one."""
    try:
        return parse_object(source.first_line)
    except ValueError:
        return {}


def block_hashes(value: Any) -> tuple[int, ...]:
    """Read a list of block identifiers.

    Raises:
        ValueError: If it is not a list of whole numbers.
    """
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise ValueError(f"expected hash_ids to be a list of whole numbers, got {str(value)[:60]}")
    return tuple(value)
