"""Warm start: configurations that earlier studies found good come right after the default."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.observations import is_usable, key_of
from searchers.optimizer import Optimizer, require_num


@dataclass(frozen=True)
class WarmStart:
    """Suggest the default, then given configurations, then what another optimiser finds.

    What they measure counts towards that optimiser's initial design, so they cost it no trial.

    Attributes:
        optimizer: Decides once the given configurations have been tried.
        space: What may be tuned.
        first: Configurations of the space, valid and distinct, the most promising first.
    """

    optimizer: Optimizer
    space: SearchSpace
    first: tuple[Config, ...]

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        """Propose `num` configurations; see `Optimizer.suggest`.

        Raises:
            ValueError: If `num` is less than 1.
            SpaceError: If no valid configuration can be found.
        """
        require_num(num)
        tried = [r.config for r in history if is_usable(self.space, r)]
        taken = [*tried, *pending]
        lead = [] if taken else [self.space.default]
        chosen = [dict(c) for c in (*lead, *self.first) if c not in taken][:num]
        if len(chosen) < num:
            chosen += self.optimizer.suggest(history, [*pending, *chosen], num - len(chosen))
        return chosen


def adapt(space: SearchSpace, configs: Iterable[Config]) -> tuple[Config, ...]:
    """Bring configurations of other spaces into this one.

    Values that the space does not have become its default's. What is then the default, comes twice
    or breaks a known constraint is left out.
    """
    adapted: dict[tuple[Any, ...], Config] = {}
    for foreign in configs:
        config = dict(space.default)
        for parameter in space.parameters:
            if parameter.name in foreign and parameter.contains(foreign[parameter.name]):
                config[parameter.name] = foreign[parameter.name]
        if space.is_valid(config) and config != space.default:
            adapted[key_of(space, config)] = config
    return tuple(adapted.values())
