"""Ray's node labels: which nodes a selector admits, and which carry the study's accelerator."""

import re
from collections.abc import Iterable, Mapping

ACCELERATOR = "ray.io/accelerator-type"
MARKET = "ray.io/market-type"


def admits(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Tell whether a node with `labels` satisfies every condition, as Ray reads them.

    A condition is a value, `!value`, `in(a,b)` or `!in(a,b)`.
    """
    return all(_holds(condition, labels.get(key)) for key, condition in selector.items())


def accelerator_selector(accelerator: str, nodes: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the selector that keeps trials off GPUs of another type.

    It is empty where all labelled nodes have the study's accelerator: nothing has to be chosen
    then, and nodes that carry no label can be used.

    Args:
        accelerator: The study's, such as "A100-80GB".
        nodes: Labels of each node with GPUs.
    """
    types = {labels[ACCELERATOR] for labels in nodes if ACCELERATOR in labels}
    same = {name for name in types if is_same_accelerator(name, accelerator)}
    return {} if same == types else {ACCELERATOR: f"in({','.join(sorted(same))})"}


def is_same_accelerator(ray_name: str, name: str) -> bool:
    """Tell whether Ray's accelerator type ("A100", "A100-80G") can be a study's ("A100-80GB")."""
    memories = [_memory_gb(word) for word in (ray_name, name)]
    differ = None not in memories and memories[0] != memories[1]
    return _model(ray_name) == _model(name) and not differ


def _model(name: str) -> str:
    """Return the word that names the chip: the first with a digit."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return next((word.upper() for word in words if re.search(r"\d", word)), name.upper())


def _memory_gb(name: str) -> int | None:
    found = re.search(r"\b(\d+)\s*GB?\b", name, re.IGNORECASE)
    return int(found[1]) if found else None


def _holds(condition: str, value: str | None) -> bool:
    wanted = condition.removeprefix("!")
    listed = re.fullmatch(r"in\((.*)\)", wanted)
    values = [word.strip() for word in listed[1].split(",")] if listed else [wanted]
    return (value in values) != condition.startswith("!")
