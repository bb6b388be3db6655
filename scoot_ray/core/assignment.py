"""What to measure next: a configuration, why, and with which seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from scoot_ray.core.bar import Bar
from scoot_ray.core.space import Config


class Role(StrEnum):
    """Why a trial was run."""

    DEFAULT = "default"
    SEARCH = "search"
    CONFIRM = "confirm"
    DRIFT = "drift"


@dataclass(frozen=True)
class Assignment:
    """Say what to measure next: a numbered configuration, why, and with which seed.

    Attributes:
        number: Position in the study.
        role: Why it is measured.
        config: What is measured.
        seed: Seed of the arrival order.
        bar: What the test must still be able to reach, or it is ended early; None if it is to run
            to its end in any case.
    """

    number: int
    role: Role
    config: Config
    seed: int
    bar: Bar | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a plain mapping for the journal and for Ray Tune."""
        return {
            "number": self.number,
            "role": self.role.value,
            "config": dict(self.config),
            "seed": self.seed,
            "bar": self.bar.to_json() if self.bar else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Assignment":
        """Rebuild what `to_json` wrote."""
        return cls(
            number=data["number"],
            role=Role(data["role"]),
            config=dict(data["config"]),
            seed=data["seed"],
            bar=Bar.from_json(data["bar"]) if data.get("bar") else None,
        )


def trial_seed(study_seed: int, number: int) -> int:
    """Derive a trial's seed from the study's, so that any trial can be replayed alone."""
    return int(np.random.SeedSequence([study_seed, number]).generate_state(1)[0])


def confirmation_seed(study_seed: int, repeat: int) -> int:
    """Derive the seed of a confirmation: every finalist meets the same arrival orders."""
    sequence = np.random.SeedSequence([study_seed, repeat], spawn_key=(1,))
    return int(sequence.generate_state(1)[0])
