"""What a history teaches, as arrays: the one place where optimisers read trial records.

symbol    meaning                                              shape   unit, sign
points    configurations in the unit cube                      [n, d]  in [0, 1]
losses    objectives; NaN where nothing was measured           [n, m]  smaller is better
ratios    limits' metrics against their bounds; NaN as above   [n, l]  met when at most 1
is_whole  the load ran to its end; if not, losses and ratios
          are estimates                                        [n]     boolean
completed the trial did not crash                              [n]     boolean
pending   configurations that are being measured               [p, d]  in [0, 1]
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.space import Config, FloatArray, SearchSpace
from scoot_ray.core.trial import TrialRecord

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Observations:
    """Hold the usable trials of a study and the configurations in flight.

    Usable are COMPLETE and INFEASIBLE trials whose configuration lies in the space, whatever their
    role: a confirm or drift trial is one more noisy measurement of its configuration. FAILED and
    CANCELLED trials leave no trace. Of a test that was ended early models learn the estimate; it
    never is an incumbent, and the trial counts as completed.
    """

    space: SearchSpace
    configs: tuple[Config, ...]
    points: FloatArray
    losses: FloatArray
    ratios: FloatArray
    is_whole: NDArray[np.bool_]
    completed: NDArray[np.bool_]
    pending_configs: tuple[Config, ...]

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        objectives: Sequence[Objective],
        limits: Sequence[Limit],
        history: Sequence[TrialRecord],
        pending: Sequence[Config],
    ) -> "Observations":
        """Read a history and the configurations in flight."""
        records = [record for record in history if is_usable(space, record)]
        configs = tuple(record.config for record in records)
        learnt = [_learnt(record) for record in records]
        return cls(
            space=space,
            configs=configs,
            points=encode_all(space, configs),
            losses=_matrix([_losses(objectives, metrics) for metrics in learnt], len(objectives)),
            ratios=_matrix([_ratios(limits, metrics) for metrics in learnt], len(limits)),
            is_whole=np.array([not record.is_bound for record in records], dtype=np.bool_),
            completed=np.array([r.state is TrialState.COMPLETE for r in records], dtype=np.bool_),
            pending_configs=tuple(c for c in pending if _is_inside(space, c)),
        )

    @property
    def count(self) -> int:
        """Count usable trials and pending configurations; it tells one suggestion from the next."""
        return len(self.configs) + len(self.pending_configs)

    @property
    def taken(self) -> frozenset[Key]:
        """Identify every configuration that was measured or is in flight."""
        configs = (*self.configs, *self.pending_configs)
        return frozenset(key_of(self.space, config) for config in configs)

    @property
    def pending(self) -> FloatArray:
        """Points of the configurations in flight, shape [p, d]."""
        return encode_all(self.space, self.pending_configs)

    @property
    def is_measured(self) -> bool:
        """Tell whether every objective has at least one measurement."""
        return bool(np.isfinite(self.losses[self.is_whole]).any(axis=0).all())

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """Mark the trials with every objective measured; shape [n]."""
        return np.asarray(np.isfinite(self.losses).all(axis=1) & self.is_whole)

    @property
    def num_measured(self) -> int:
        """Count the trials with every objective measured."""
        return int(self.is_complete.sum())

    @property
    def meets_limits(self) -> NDArray[np.bool_]:
        """Mark the trials with every objective measured and every limit met; shape [n]."""
        # NaN <= 1 is false: a limit that was not measured is not met.
        met = (self.ratios <= 1.0).all(axis=1)
        return np.asarray(met & self.is_complete)

    @property
    def reference(self) -> FloatArray:
        """The default's first measurement, shape [m]; the nadir of what was seen in its place.

        The nadir also stands in for a default that misses a limit: what meets it may have to be
        worse than the default in one objective, and is an answer all the same.
        """
        nadir: FloatArray = np.nanmax(self.losses[self.is_whole], axis=0)
        default = key_of(self.space, self.space.default)
        for config, losses, ratios in zip(self.configs, self.losses, self.ratios, strict=True):
            if key_of(self.space, config) == default and np.isfinite(losses).any():
                return np.where(np.isfinite(losses) & ~(ratios > 1.0).any(), losses, nadir)
        return nadir

    def awaiting(self, configs: Sequence[Config]) -> "Observations":
        """Return the same with `configs` in flight as well."""
        return replace(self, pending_configs=(*self.pending_configs, *configs))


def is_usable(space: SearchSpace, record: TrialRecord) -> bool:
    """Tell whether a model may learn from `record`."""
    return record.state in (TrialState.COMPLETE, TrialState.INFEASIBLE) and _is_inside(
        space, record.config
    )


def key_of(space: SearchSpace, config: Config) -> Key:
    """Identify a configuration by its values in the space's order."""
    return tuple(config[name] for name in space.names)


def encode_all(space: SearchSpace, configs: Sequence[Config]) -> FloatArray:
    """Map configurations to the unit cube, shape [n, d]."""
    return _matrix([space.encode(config) for config in configs], space.dim)


def _is_inside(space: SearchSpace, config: Config) -> bool:
    return all(p.name in config and p.contains(config[p.name]) for p in space.parameters)


def _learnt(record: TrialRecord) -> Mapping[str, float]:
    """Return what a model may take for measured."""
    if record.state is not TrialState.COMPLETE:
        return {}
    return record.estimate if record.is_bound else record.metrics


def _losses(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> list[float]:
    return [o.sign * _finite(metrics, o.metric) for o in objectives]


def _ratios(limits: Sequence[Limit], metrics: Mapping[str, float]) -> list[float]:
    # `excess` is relative to the bound, so 1 + excess is value / bound for an upper bound:
    # positive, and therefore fit for the logarithm that heavy tails need.
    values = [_finite(metrics, limit.metric) for limit in limits]
    return [
        math.nan if math.isnan(value) else 1.0 + limit.excess({limit.metric: value})
        for limit, value in zip(limits, values, strict=True)
    ]


def _finite(metrics: Mapping[str, float], name: str) -> float:
    value = float(metrics.get(name, math.nan))
    return value if math.isfinite(value) else math.nan


def _matrix(rows: Sequence[Sequence[float] | FloatArray], width: int) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)
