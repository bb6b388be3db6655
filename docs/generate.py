"""Writes `docs/reference/` from the code: `make docs`, or `python -m docs.generate`."""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
import typer.cli
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scoot_ray.cli import app
from scoot_ray.core.metrics import METRICS, QUANTITIES, RATES, direction_of
from scoot_ray.core.study import Study
from scoot_ray.readings import METRICS as READINGS

FOLDER = Path(__file__).parent / "reference"
WRITTEN = "<!-- Written by `make docs` from {source}; edit that instead. -->\n\n"
MEANINGS = {
    "throughput_rps": "requests completed a second, of the whole service",
    "goodput_rps": "those that meet every limit on a time",
    "output_tokens_per_s": "tokens of answers a second",
    "total_tokens_per_s": "tokens of prompts and answers a second",
    "ttft": "time to first token",
    "tpot": "time per output token after the first, of a request",
    "itl": "time between two tokens, of all gaps",
    "latency": "from sending a request to its last token",
}
UNITS = {"rps": "requests/s", "per_s": "tokens/s"}


def pages() -> dict[str, str]:
    """Return the text of every generated page by its name."""
    return {"study-file.md": _study_file(), "cli.md": _cli(), "metrics.md": _metrics()}


def _cli() -> str:
    command = typer.main.get_command(app)
    text = typer.cli.get_docs_for_click(obj=command, ctx=typer.Context(command), name="scoot")
    return WRITTEN.format(source="scoot_ray/cli") + text.rstrip() + "\n"


def _metrics() -> str:
    lines = [
        "# Metrics",
        "",
        "Objectives, limits, `--where` and `--minimize` speak of these. Times are in seconds, at",
        "the client; rates count the whole service, also where a trial ran one replica of it.",
        "",
        "| metric | meaning | unit | better |",
        "|---|---|---|---|",
    ]
    for name in RATES:
        unit = next(unit for suffix, unit in UNITS.items() if name.endswith(suffix))
        lines.append(f"| `{name}` | {MEANINGS[name]} | {unit} | {_better(name)} |")
    for quantity in QUANTITIES:
        names = [name for name in METRICS if name.startswith(f"{quantity}_")]
        shown = " ".join(f"`{name}`" for name in names)
        lines.append(f"| {shown} | {MEANINGS[quantity]} | s | {_better(names[0])} |")
    lines += [
        "",
        "## Published through Ray",
        "",
        "Gauges of a running study, each labelled with `study`; `cluster/grafana_dashboard.json`",
        "shows them.",
        "",
        "| gauge | meaning | labels |",
        "|---|---|---|",
    ]
    for metric in READINGS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.description} | {labels} |")
    return WRITTEN.format(source="scoot_ray/core/metrics.py and readings.py") + _joined(lines)


def _better(metric: str) -> str:
    return {"max": "higher", "min": "lower"}[direction_of(metric)]


def _study_file() -> str:
    lines = [
        "# The study file",
        "",
        "YAML. A key that is not listed here is an error. Relative paths are relative to the file.",
        "`[]` marks a list of such mappings.",
    ]
    for path, model in _sections("", Study):
        summary = (model.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("\n    ", " ")
        title = f"`{path}`" if path else "The whole file"
        lines += ["", f"## {title}", "", summary, ""]
        lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
        lines += [_row(name, field) for name, field in model.model_fields.items()]
    return WRITTEN.format(source="scoot_ray/core/study.py, sections.py and schedule.py") + _joined(
        lines
    )


def _sections(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield a model and, depth first, every model inside, each with its path in the file."""
    yield path, model
    for name, field in model.model_fields.items():
        for inner, mark in _models(field.annotation):
            yield from _sections(f"{path}.{name}{mark}".lstrip("."), inner)


def _models(annotation: Any, mark: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, mark
        return
    marks = {list: "[]", tuple: "[]", dict: ".NAME"}
    for argument in get_args(annotation):
        yield from _models(argument, marks.get(get_origin(annotation), mark))


def _row(name: str, field: FieldInfo) -> str:
    if field.description is None:
        raise ValueError(f"{name} has no description; write a docstring under the field.")
    meaning = " ".join(field.description.split())
    value = " ".join([_value(field.annotation), *_bounds(field)])
    return f"| `{name}` | {value} | {_default(field)} | {meaning} |"


def _value(annotation: Any) -> str:
    """Describe a type in a person's words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    if origin is Annotated:
        return _value(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (list, tuple):
        inner = _value(arguments[0])
        return "list of mappings" if inner == "mapping" else f"list of {inner}"
    if origin is dict:
        return "mapping"
    words = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    if annotation in words:
        return words[annotation]
    kinds = [kind for kind in arguments if kind is not NoneType]
    if {bool, int, float, str} <= {*kinds}:
        return "any value"
    if kinds:
        shown = ["number"] if {*kinds} == {int, float} else [_value(kind) for kind in kinds]
        return " or ".join(shown)
    return str(getattr(annotation, "__name__", annotation))


def _bounds(field: FieldInfo) -> Iterator[str]:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    for bound in field.metadata:
        for key, sign in signs.items():
            if getattr(bound, key, None) is not None:
                yield f"{sign} {getattr(bound, key):g}"


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "**required**"
    if isinstance(default, BaseModel) or default is None or default in ({}, [], ()):
        return ""
    if isinstance(default, bool):
        return f"`{default}`".lower()
    if isinstance(default, tuple):
        return ", ".join(f"`{item}`" for item in default)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for page, content in pages().items():
        (FOLDER / page).write_text(content, encoding="utf-8")
