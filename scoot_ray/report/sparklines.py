"""What went on inside a simulated engine, as text: one line of small bars per quantity."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scoot_ray.report.quantities import (
    KV_CACHE,
    PREEMPTIONS,
    PREFILL,
    RUNNING,
    STEP_TIME,
    TOKENS,
    WAITING,
    Quantity,
    Watched,
)
from scoot_ray.report.tables import Table
from trainables.simulator.curves import Curves, FloatArray

BARS = " ▁▂▃▄▅▆▇█"
NUM_BARS = 48


def inside_table(engine: Watched) -> Table:
    """Show an engine's quantities over time, in bars of equal stretches.

    What the engine holds is shown by its peaks and averaged over time; what a step does, by its
    mean in each stretch, and averaged over the steps.
    """
    curves = engine.curves
    rows = [_row(curves, held, curves.duration_s, _peaks) for held in (WAITING, RUNNING, KV_CACHE)]
    rows += [_row(curves, done, curves.is_step, _means) for done in (TOKENS, PREFILL, STEP_TIME)]
    total = f"{curves.preemptions[-1]:.0f}"
    bars = sparkline(_peaks(curves, curves.preemptions))
    rows.append((PREEMPTIONS.name, bars, "0", "-", total))
    header = ("quantity", f"from 0 to {curves.start_s[-1]:.4g} s", "min", "mean", "max")
    return Table(f"Inside the engine: {engine.label}", header, tuple(rows))


def sparkline(values: FloatArray) -> str:
    """Draw values of at least 0 as bars; the largest is a full one."""
    share = values / max(float(values.max()), 1e-12)
    return "".join(BARS[level] for level in np.ceil(share * (len(BARS) - 1)).astype(int))


def _row(
    curves: Curves,
    quantity: Quantity,
    weights: FloatArray,
    summarize: Callable[[Curves, FloatArray], FloatArray],
) -> tuple[str, ...]:
    values = quantity.values(curves)
    counted = values[weights > 0]
    mean = float(np.average(values, weights=weights))
    numbers = (f"{value:.4g}" for value in (counted.min(), mean, counted.max()))
    return (quantity.name, sparkline(summarize(curves, values)), *numbers)


def _stretches(curves: Curves) -> NDArray[np.intp]:
    """Return the first index of each of `NUM_BARS` equal stretches of time."""
    edges_s = np.linspace(0.0, curves.start_s[-1], NUM_BARS, endpoint=False)
    # A value holds until the next one begins, so a stretch begins with the one before it.
    return np.searchsorted(curves.start_s, edges_s, side="right") - 1


def _peaks(curves: Curves, values: FloatArray) -> FloatArray:
    return np.maximum.reduceat(values, _stretches(curves))


def _means(curves: Curves, values: FloatArray) -> FloatArray:
    first = _stretches(curves)
    num_steps = np.add.reduceat(curves.is_step, first)
    return np.add.reduceat(values * curves.is_step, first) / np.maximum(num_steps, 1)
