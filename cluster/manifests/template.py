"""The constant parts of manifests, and manifests as text."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import yaml


def read_config(name: str) -> dict[str, Any]:
    """Return one of our YAML files below `cluster/configs`, anew each time."""
    data: dict[str, Any] = yaml.safe_load(read_text(name))
    return data


def read_text(name: str) -> str:
    """Return the text of one of our files below `cluster/configs`."""
    return files("cluster").joinpath("configs", *name.split("/")).read_text(encoding="utf-8")


def to_text(notes: Iterable[str], documents: Iterable[Mapping[str, Any]]) -> str:
    """Return documents as one YAML stream under comments, without anchors."""
    text: str = yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=100)
    return "".join(f"# {note}\n" for note in notes) + text


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        style = "|" if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Plain.add_representer(str, _Plain.represent_text)
