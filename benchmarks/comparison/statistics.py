"""What runs say together: means with intervals, ranks, paired tests, ties.

symbol       meaning                                                            range
improvement  over the default, as judged (`Run.curve`)                          at most 1, or a gain
share        improvement over the best that any run reached on the service      at most 1
luck         what repeating the default seems to gain on a service              0 where not run
band         what the judges of a service cannot tell: the mean `Run.doubt`     at least 0.005
block        one service, parallel degree and seed, on which algorithms are paired
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from benchmarks.comparison.algorithms import REPEATED_DEFAULT
from benchmarks.comparison.run import Run
from scoot_ray.core.space import FloatArray

LEAST_BAND = 0.005
"""Nobody would restart a service for half a percent."""

Block = tuple[str, int, int]


@dataclass(frozen=True)
class Interval:
    """Hold a mean and half the width of its 95 % confidence interval (Student's t).

    Fewer than two values say nothing about the width, which is infinite then.
    """

    mean: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float] | FloatArray) -> "Interval":
        """Estimate the mean of values, shape [n]; it is NaN where there are none."""
        array = np.asarray(values, dtype=np.float64)
        if len(array) < 2:
            return cls(float(array[0]) if len(array) else math.nan, math.inf)
        quantile = float(stats.t.ppf(0.975, len(array) - 1))
        half = quantile * float(array.std(ddof=1)) / math.sqrt(len(array))
        return cls(float(array.mean()), half)

    def scaled(self, factor: float) -> "Interval":
        """Return the interval in another unit."""
        return Interval(factor * self.mean, factor * self.half)

    def __format__(self, spec: str) -> str:
        """Write both numbers in one form, the mean with its sign if that asks for it."""
        half = "?" if math.isinf(self.half) else f"{self.half:{spec.removeprefix('+')}}"
        return f"{self.mean:{spec}} ± {half}"


@dataclass(frozen=True)
class Duel:
    """Compare two algorithms on the blocks that both have.

    Attributes:
        difference: Of the shares, the first's minus the second's.
        p_value: Of the Wilcoxon signed-rank test, two-sided; 1 where all are equal.
        ties: Blocks whose improvements differ by at most the band.
    """

    difference: Interval
    p_value: float
    wins: int
    ties: int
    defeats: int

    @classmethod
    def of(cls, shares: FloatArray, gains: FloatArray, band: FloatArray | float) -> "Duel":
        """Compare by paired differences of the shares and of the improvements, shape [blocks]."""
        p_value = float(stats.wilcoxon(shares).pvalue) if np.any(shares != 0.0) else 1.0
        wins, defeats = int((gains > band).sum()), int((gains < -band).sum())
        return cls(Interval.of(shares), p_value, wins, len(gains) - wins - defeats, defeats)


@dataclass(frozen=True)
class Runs:
    """Index runs by service, algorithm, parallel degree and seed."""

    runs: Sequence[Run]

    @cached_property
    def services(self) -> list[str]:
        """Services in the order of the runs."""
        return list(dict.fromkeys(run.task.service for run in self.runs))

    @cached_property
    def algorithms(self) -> list[str]:
        """Algorithms in the order of the runs."""
        return list(dict.fromkeys(run.task.algorithm for run in self.runs))

    @cached_property
    def degrees(self) -> list[int]:
        """Parallel degrees, ascending."""
        return sorted({run.task.parallelism for run in self.runs})

    @cached_property
    def best_known(self) -> dict[str, float]:
        """The largest improvement on each service, of any algorithm at any time of its search."""
        return {s: max(max(run.curve) for run in self.of(service=s)) for s in self.services}

    @cached_property
    def band(self) -> dict[str, float]:
        """Within which improvements on each service are a tie."""
        doubts = {s: np.mean([run.doubt for run in self.of(service=s)]) for s in self.services}
        return {service: max(float(doubt), LEAST_BAND) for service, doubt in doubts.items()}

    @cached_property
    def luck(self) -> dict[str, float]:
        """What repeating the default seems to gain in the mean, on services where it was run."""
        return {
            service: float(np.mean([run.seeming for run in repeated]))
            for service in self.services
            if (repeated := self.of(service=service, algorithm=REPEATED_DEFAULT))
        }

    def of(self, *, service: str = "", algorithm: str = "", degree: int | None = None) -> list[Run]:
        """List the runs of a service, an algorithm and a degree; what is left out is any."""
        return [
            run
            for run in self.runs
            if service in ("", run.task.service)
            and algorithm in ("", run.task.algorithm)
            and degree in (None, run.task.parallelism)
        ]

    def share(self, run: Run, num_observations: int | None = None) -> float:
        """Return a run's share after some observations, by default after all."""
        best = self.best_known[run.task.service]
        value = run.final if num_observations is None else run.curve[num_observations]
        return value / best if best > 0 else 0.0

    def by_block(self, algorithm: str) -> dict[Block, Run]:
        """Return an algorithm's runs by service, parallel degree and seed."""
        return {
            (r.task.service, r.task.parallelism, r.task.seed): r
            for r in self.of(algorithm=algorithm)
        }

    def complete_blocks(self) -> list[Block]:
        """List the blocks that every algorithm has."""
        blocks = [set(self.by_block(algorithm)) for algorithm in self.algorithms]
        return sorted(set.intersection(*blocks)) if blocks else []

    def mean_ranks(self) -> dict[str, float]:
        """Return each algorithm's mean rank over the complete blocks; 1 is best, ties share."""
        blocks = self.complete_blocks()
        if not blocks:
            return {}
        by_block = [self.by_block(algorithm) for algorithm in self.algorithms]
        finals = np.array([[runs[block].final for runs in by_block] for block in blocks])
        band = np.array([[self.band[service]] for service, _, _ in blocks])
        ranks = np.array(
            [_ranks(row, width) for row, width in zip(finals, band[:, 0], strict=True)]
        )
        return dict(zip(self.algorithms, ranks.mean(axis=0).tolist(), strict=True))

    def duel(self, first: str, second: str) -> Duel:
        """Compare two algorithms."""
        ours, theirs = self.by_block(first), self.by_block(second)
        common = [block for block in ours if block in theirs]
        shares = np.array([self.share(ours[b]) - self.share(theirs[b]) for b in common])
        gains = np.array([ours[b].final - theirs[b].final for b in common])
        band = np.array([self.band[service] for service, _, _ in common])
        return Duel.of(shares, gains, band)

    def observations_to(self, target: float, runs: Sequence[Run]) -> int | None:
        """Return after how many observations the mean curve of runs reaches an improvement."""
        mean = np.mean([run.curve for run in runs], axis=0)
        reached = np.flatnonzero(mean >= target)
        return int(reached[0]) if len(reached) else None


def _ranks(values: FloatArray, band: float) -> FloatArray:
    """Rank improvements, the largest first; those within the band of each other share a rank."""
    better = (values[None, :] > values[:, None] + band).sum(axis=1)
    worse = (values[None, :] < values[:, None] - band).sum(axis=1)
    ranks: FloatArray = 1.0 + better + (len(values) - 1 - better - worse) / 2.0
    return ranks
