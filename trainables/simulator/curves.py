"""A timeline as curves over time: arrays for drawing, with idle stretches and thinned out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trainables.simulator.timeline import StepSample

IDLE_S = 1e-9  # what is shorter is rounding

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """Hold quantities of one engine as step functions of time, each of shape [n].

    Attributes:
        start_s: When each value begins to hold.
        duration_s: How long it holds; 0 for the last.
        waiting: Sequences in the waiting queue.
        running: Sequences that hold blocks.
        kv_usage: Share of the KV blocks in use, in [0, 1].
        decode_tokens: Tokens of the step that belong to decodes; 0 while the engine is idle.
        tokens: Tokens of the step, those of prompts included.
        step_s: Duration of the step; 0 while the engine is idle.
        preemptions: Preemptions so far.
    """

    start_s: FloatArray
    duration_s: FloatArray
    waiting: FloatArray
    running: FloatArray
    kv_usage: FloatArray
    decode_tokens: FloatArray
    tokens: FloatArray
    step_s: FloatArray
    preemptions: FloatArray

    @classmethod
    def of(cls, samples: Sequence[StepSample]) -> Self:
        """Draw up the curves of an engine from time 0 to the end of its last step."""
        rows = np.array([_row(sample) for sample in _with_idle(samples)], dtype=float)
        columns = rows.reshape(-1, len(fields(cls))).T.copy()
        columns[-1] = columns[-1].cumsum()
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def is_step(self) -> FloatArray:
        """1 where a value belongs to a step, 0 where it belongs to idleness."""
        return (self.tokens > 0).astype(float)

    def averaged(self, num_stretches: int) -> Self:
        """Average over the steps of each of at most `num_stretches` equal stretches of time.

        Stretches without a step are left out; the first value of each stretch is its time.
        """
        stretch = np.floor(self.start_s * num_stretches / max(self.start_s[-1], IDLE_S))
        first = np.flatnonzero(np.diff(stretch, prepend=-1.0))
        num_steps = np.add.reduceat(self.is_step, first)
        kept = num_steps > 0
        sums = (np.add.reduceat(getattr(self, f.name) * self.is_step, first) for f in fields(self))
        means = [total[kept] / num_steps[kept] for total in sums]
        return type(self)(self.start_s[first][kept], *means[1:])

    def thinned(self, max_points: int) -> Self:
        """Keep at most about `max_points` points, among them the extremes of every curve.

        Of each stretch of equally many points those are kept at which one of the curves has its
        smallest or largest value there: a peak stays as high as it was.
        """
        if len(self) <= max_points:
            return self
        curves = [getattr(self, field.name) for field in fields(self)[2:]]
        num_stretches = max(1, max_points // (2 * len(curves)))
        edges = np.linspace(0, len(self), num_stretches + 1).astype(int)
        kept = {0, len(self) - 1}
        for low, high in pairwise(edges):
            for curve in curves:
                stretch = curve[low:high]
                kept |= {int(low + stretch.argmin()), int(low + stretch.argmax())}
        chosen = sorted(kept)
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def _with_idle(samples: Sequence[StepSample]) -> Iterator[StepSample]:
    """Yield the samples, with an empty one for each time without a step, and one for the end."""
    end_s = 0.0
    for sample in samples:
        if sample.start_s - end_s > IDLE_S:
            yield _idle(end_s, sample.start_s)
        yield sample
        end_s = sample.start_s + sample.duration_s
    yield _idle(end_s, end_s)


def _idle(start_s: float, end_s: float) -> StepSample:
    return StepSample(start_s, end_s - start_s, 0, 0, 0, 0, 0.0, 0)


def _row(sample: StepSample) -> tuple[float, ...]:
    num_tokens = sample.num_decode_tokens + sample.num_prefill_tokens
    return (
        sample.start_s,
        sample.duration_s,
        sample.num_waiting,
        sample.num_running,
        sample.kv_usage,
        sample.num_decode_tokens,
        num_tokens,
        sample.duration_s if num_tokens else 0.0,
        sample.num_preempted,
    )
