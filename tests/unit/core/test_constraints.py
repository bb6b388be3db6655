"""Known constraints: what they need, and what they say."""

from typing import Any

import pytest

from scoot_ray.core.constraints import KnownConstraint
from scoot_ray.core.errors import SpaceError


def test_it_holds_when_its_predicate_is_true() -> None:
    constraint = KnownConstraint("small", lambda config: config["x"] < 3, "x is small")
    assert constraint.holds({"x": 2})
    assert not constraint.holds({"x": 3})


def test_the_answer_is_a_boolean() -> None:
    predicate: Any = dict.__len__
    assert KnownConstraint("any", predicate).holds({"x": 5}) is True


def test_it_needs_a_name_and_something_to_call() -> None:
    with pytest.raises(SpaceError, match="empty"):
        KnownConstraint("", lambda _: True)
    predicate: Any = "x < 3"
    with pytest.raises(SpaceError, match="expected a callable predicate, got str"):
        KnownConstraint("small", predicate)
