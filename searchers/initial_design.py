"""The first configurations of a study: default, advice, then scrambled Sobol points (sec. 5).

symbol  meaning                              shape
d       parameters of the space
stream  points of the unit cube, endless     each [d]
"""

import math
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from torch.quasirandom import SobolEngine

from scoot_ray.core.errors import SpaceError
from scoot_ray.core.space import Config, FloatArray, SearchSpace
from searchers.observations import Key, key_of

CHUNK = 256  # points drawn at a time
FEW_DRAWS = 2**12  # for searches that can do with fewer points than they ask for
MAX_DRAWS = 2**16  # about a second of rejection; a valid region rarer than this is not found


@dataclass(frozen=True)
class InitialDesign:
    """Start a study with its default, what is advised, and points of the scrambled Sobol sequence.

    Attributes:
        num_sobol: How many of these points.
        advice: Valid and distinct configurations that are not the default.
    """

    space: SearchSpace
    num_sobol: int
    seed: int
    advice: tuple[Config, ...] = ()

    @property
    def size(self) -> int:
        """Count the configurations of the design, the default included."""
        return 1 + len(self.advice) + self.num_sobol

    def propose(self, taken: AbstractSet[Key], num: int) -> list[dict[str, Any]]:
        """List at most `num` configurations of the design that are not in `taken`.

        The design is over once `taken` is as large as it, whether or not it holds the same
        configurations: a study that starts from older measurements needs no second design.

        Raises:
            SpaceError: If no valid configuration can be found beside the default.
        """
        num = min(num, self.size - len(taken))
        if num <= 0:
            return []
        known = {key_of(self.space, c): dict(c) for c in (self.space.default, *self.advice)}
        first = [config for key, config in known.items() if key not in taken][:num]
        stream = sobol_stream(self.space.dim, self.seed)
        return first + draw_valid(self.space, stream, num - len(first), {*known, *taken})


def draw_some(
    space: SearchSpace, num: int, taken: AbstractSet[Key], seed: int
) -> list[dict[str, Any]]:
    """Take at most `num` valid Sobol configurations without looking for long."""
    return draw_valid(space, islice(sobol_stream(space.dim, seed), FEW_DRAWS), num, taken)


def sobol_stream(dim: int, seed: int) -> Iterator[FloatArray]:
    """Yield the points of a scrambled Sobol sequence without end, each of shape [d]."""
    # The engine scrambles with a generator of its own, so torch's global one is not touched.
    engine = SobolEngine(dim, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    while True:
        yield from np.asarray(engine.draw(CHUNK).numpy(), dtype=np.float64)


def draw_valid(
    space: SearchSpace, stream: Iterator[FloatArray], num: int, taken: AbstractSet[Key]
) -> list[dict[str, Any]]:
    """Take the first `num` distinct valid configurations of a stream that are not in `taken`.

    Returns fewer where the stream or the space holds no more of them, or they are too rare.

    Raises:
        SpaceError: If `MAX_DRAWS` points held no valid configuration at all.
    """
    num_configs = math.prod(parameter.num_values for parameter in space.parameters)
    found: list[dict[str, Any]] = []
    drawn: set[Key] = set()
    num_drawn = num_valid = 0
    for point in islice(stream, MAX_DRAWS):
        num_drawn += 1
        if len(found) >= num or len(drawn) >= num_configs:
            return found
        config = space.decode(point)
        key = tuple(config.values())
        if key in drawn:
            continue
        drawn.add(key)
        if space.is_valid(config):
            num_valid += 1
            if key not in taken:
                found.append(config)
    if num_valid == 0 and num_drawn == MAX_DRAWS:
        raise SpaceError(_no_valid_point(space))
    return found


def make_up(
    space: SearchSpace, taken: AbstractSet[Key], num: int, seed: int
) -> list[dict[str, Any]]:
    """List `num` Sobol configurations that satisfy the known constraints.

    For when too few candidates remain. Those in `taken` come again only when the first `MAX_DRAWS`
    points hold no other: because the space does not, or because valid ones are that rare.
    """
    configs = draw_valid(space, sobol_stream(space.dim, seed), num, taken)
    while len(configs) < num:
        again = draw_valid(space, sobol_stream(space.dim, seed), num - len(configs), frozenset())
        configs += again or [dict(space.default)]
    return configs


def _no_valid_point(space: SearchSpace) -> str:
    names = ", ".join(constraint.name for constraint in space.constraints)
    return (
        f"None of {MAX_DRAWS} points of the search space satisfies the known constraints "
        f"({names}). Narrow the ranges to the region where they hold, or relax a constraint."
    )
