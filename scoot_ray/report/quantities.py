"""What is shown of a simulated engine's inside, and of which engines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainables.simulator.config import EngineConfig
from trainables.simulator.curves import Curves, FloatArray
from trainables.simulator.timeline import Timeline


@dataclass(frozen=True)
class Quantity:
    """Describe one quantity over time.

    Attributes:
        name: What is shown, with its unit.
        axis: What stands at the axis.
        values: Picks the curve, in that unit.
        limit: The parameter that bounds it, if one does.
    """

    name: str
    axis: str
    values: Callable[[Curves], FloatArray]
    limit: str | None = None


WAITING = Quantity("Waiting requests", "requests", lambda curves: curves.waiting)
RUNNING = Quantity(
    "Running requests",
    "requests",
    lambda curves: curves.running,
    limit="max_num_seqs",
)
KV_CACHE = Quantity("KV cache in use (%)", "%", lambda curves: 100 * curves.kv_usage)
TOKENS = Quantity(
    "Tokens per step",
    "tokens",
    lambda curves: curves.tokens,
    limit="max_num_batched_tokens",
)
PREFILL = Quantity("of them prefill", "tokens", lambda curves: curves.tokens - curves.decode_tokens)
STEP_TIME = Quantity("Step time (ms)", "ms", lambda curves: 1e3 * curves.step_s)
PREEMPTIONS = Quantity("Preemptions so far", "requests", lambda curves: curves.preemptions)


@dataclass(frozen=True)
class Watched:
    """Hold one engine that was watched.

    Attributes:
        label: Sets it apart from the others.
        config: Its parameters.
        curves: What it did.
    """

    label: str
    config: EngineConfig
    curves: Curves


def watched_engines(
    label: str, config: EngineConfig, timelines: Sequence[Timeline]
) -> list[Watched]:
    """Gather the engines of one configuration, numbered where there are several."""
    numbered = [f", engine {n} of {len(timelines)}" for n in range(1, len(timelines) + 1)]
    suffixes = numbered if len(timelines) > 1 else [""]
    return [
        Watched(label + suffix, config, Curves.of(timeline.samples))
        for suffix, timeline in zip(suffixes, timelines, strict=False)
    ]
