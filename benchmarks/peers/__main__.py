"""Answer questions: one JSON line in, one JSON line out, until the input ends.

    {"tool": "optuna_gp", "problem": {...}}   ->  {"point": [...]}
    {"versions": ["optuna", ...]}             ->  {"versions": {"optuna": "5.0.0", ...}}

What a tool prints goes to standard error, so that answers stay alone on standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.metadata import version
from typing import Any

from .problem import Problem

TOOLS = {
    "hebo": ("hebo_peer", "suggest"),
    "optuna_tpe": ("optuna_peer", "suggest_tpe"),
    "optuna_gp": ("optuna_peer", "suggest_gp"),
    "ax": ("ax_peer", "suggest"),
    "smac": ("smac_peer", "suggest"),
}


def main() -> None:
    """Serve standard input."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(_answer(json.loads(line))) + "\n")
            answers.flush()


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    if "versions" in question:
        return {"versions": {name: version(name) for name in question["versions"]}}
    module, function = TOOLS[question["tool"]]
    # Imported when asked for: a process serves one tool, and others take seconds to import.
    suggest = getattr(importlib.import_module(f".{module}", __package__), function)
    return {"point": suggest(Problem.from_json(question["problem"]))}


if __name__ == "__main__":
    main()
