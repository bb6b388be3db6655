"""Failure rules as data: `ENGINE_failures.yaml` beside this file, and what all engines share.

A rule has a `cause`, a `label` (infrastructure, study or configuration), `patterns`, `advice`, and
`phases` where it does not hold in all of them. Every rule has a case in
`tests/unit/trainables/engines/failure_cases/`.
"""

import functools
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from trainables.failure import FailureRule, Label

SHARED = "shared"
_RULES = TypeAdapter(tuple[FailureRule, ...])


@functools.cache
def load_failure_rules(engine: str) -> tuple[FailureRule, ...]:
    """Return an engine's rules, most telling first: by label, its own before the shared ones.

    Args:
        engine: As in the file's name: `vllm` for `vllm_failures.yaml`.
    """
    rules = [*read_failure_rules(engine), *read_failure_rules(SHARED)]
    order = list(Label)
    return tuple(sorted(rules, key=lambda rule: order.index(rule.label)))


def read_failure_rules(name: str) -> tuple[FailureRule, ...]:
    """Read one file of rules, in its own order."""
    file = Path(__file__).with_name(f"{name}_failures.yaml")
    return _RULES.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
