"""YAML as people write it: no anchors, keys in our order, comments above."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml


class PlainDumper(yaml.SafeDumper):
    """Write a mapping that occurs twice twice; kubectl reads anchors, people do not."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return true for everything."""
        return True


def comments(lines: Iterable[str]) -> str:
    """Return lines as comments of YAML or shell, whatever line ends they hold."""
    return "".join(f"# {part}\n" for line in lines for part in line.splitlines())


def to_yaml(notes: Iterable[str], *documents: Mapping[str, Any]) -> str:
    """Return the documents under their notes."""
    text: str = yaml.dump_all(
        documents, Dumper=PlainDumper, sort_keys=False, width=100, allow_unicode=True
    )
    return comments(notes) + text
