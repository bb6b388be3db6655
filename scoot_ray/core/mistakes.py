"""What is wrong with a study file, key by key, in a person's words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from scoot_ray.core.errors import Mistake, did_you_mean

Location = tuple[str | int, ...]


def mistakes_of(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """Explain each error once; of a union's branches, only the one that got furthest.

    Args:
        error: As pydantic raised it.
        model: Of the whole file: wrong keys are answered by those of its sections.
    """
    errors = error.errors(include_url=False)
    locations = [tuple(part for part in e["loc"] if not _is_union_tag(part)) for e in errors]
    mistakes = [
        Mistake(location, _explain(dict(each), location, model))
        for each, location in zip(errors, locations, strict=True)
        if not any(other != location and other[: len(location)] == location for other in locations)
    ]
    return list(dict.fromkeys(mistakes))


def with_lines(mistakes: Sequence[Mistake], text: str) -> list[Mistake]:
    """Say in which line of a valid YAML text each mistake is, and sort them by it.

    What is missing is in the line of the mapping that lacks it.

    Args:
        mistakes: By their locations in the text.
        text: A mapping in YAML.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    assert root is not None
    lines = [_line_of(root, mistake.location) for mistake in mistakes]
    found = [replace(mistake, line=line) for mistake, line in zip(mistakes, lines, strict=True)]
    return sorted(found, key=lambda mistake: mistake.line or 0)


def _line_of(node: yaml.Node, location: Location) -> int:
    """Return the line of the last part of a location that is written, counted from 1."""
    line: int = node.start_mark.line + 1
    for part in location:
        child = next((pair for key, pair in _children(node) if key == part), None)
        if child is None:
            break
        line, node = child
    return line


def _children(node: yaml.Node) -> Iterator[tuple[str | int, tuple[int, yaml.Node]]]:
    """Yield the keys or indices of a node, each with its line and what stands there."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, (key.start_mark.line + 1, value)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield index, (item.start_mark.line + 1, item)


def _explain(error: Mapping[str, Any], location: Location, model: type[BaseModel]) -> str:
    match error["type"]:
        case "missing":
            return f"is missing; write `{location[-1]}: ...`."
        case "extra_forbidden":
            return f"is not a key here.{_hint_at_keys(location, model)}"
        case "literal_error":
            choices = error["ctx"]["expected"]
            hint = did_you_mean(str(error["input"]), re.findall(r"'([^']*)'", choices))
            return f"expected {choices}; got {error['input']!r}.{hint}"
        case "value_error":
            message = str(error["ctx"]["error"])
            return f"{message}{'' if message.endswith(('.', '?')) else '.'}"
        case _:
            return f"{error['msg']}; got {error['input']!r}."


def _is_union_tag(part: Any) -> bool:
    tags = ("bool", "int", "float", "str", "function-after")
    return isinstance(part, str) and (part.startswith("list[") or part in tags)


def _hint_at_keys(location: Location, model: type[BaseModel]) -> str:
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        model = next(_models(field.annotation), model) if field else model
    keys = list(model.model_fields)
    hint = did_you_mean(str(location[-1]), keys)
    return f"{hint} The keys are: {', '.join(keys)}."


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the sections that a field can hold, however deep in lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
