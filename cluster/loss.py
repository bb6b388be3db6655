"""Why a trial was lost: what Ray says of its actor, put into the words that retries go by.

A trial's actor that dies, or an exception that leaves it, is infrastructure: what an engine does to
itself comes back as an outcome. Nothing here calls a configuration infeasible.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scoot_ray.core.attempts import NODE_LOST, SYSTEM_MEMORY
from scoot_ray.core.failure import Failure, Phase

NUM_LINES = 15
MAX_DETAIL = 200


@dataclass(frozen=True)
class _Loss:
    cause: str
    pattern: str
    message: str


# What Ray 2.60 writes, from trials that were killed in each of these ways (tests/fault).
_LOSSES = (
    _Loss(
        SYSTEM_MEMORY,
        r"running low on memory|OutOfMemoryError",
        "Its machine ran out of memory, and Ray killed the trial to save the machine.",
    ),
    _Loss(
        NODE_LOST,
        r"its node has died|node was (terminated|preempted|drained)|NODE_DIED",
        "Its machine died, was taken back or was shut down.",
    ),
    # Ray says so of a worker whose machine has gone silent and is not yet known to be dead.
    _Loss(
        NODE_LOST,
        r"The actor is temporarily unavailable|ActorUnavailable",
        "Its machine fell silent.",
    ),
    _Loss(
        "actor_died",
        r"[Tt]he actor (is dead|died)",
        "Its process was killed or crashed on a machine that lives on.",
    ),
)
_RAISED = _Loss("trial_error", "", "Measuring it failed for a reason that is not the engine's.")


def diagnose_loss(text: str) -> Failure:
    """Tell why a trial was lost.

    Args:
        text: What Ray Tune wrote about the trial's error; the last failure in it counts.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    last = _last_failure(lines)
    found = next((loss for loss in _LOSSES if re.search(loss.pattern, "\n".join(last))), _RAISED)
    detail = _detail(last)
    message = f"{found.message} Ray: {detail}" if detail else found.message
    return Failure(Phase.LOAD, found.cause, message, log_tail=tuple(last[-NUM_LINES:]))


def _last_failure(lines: Sequence[str]) -> Sequence[str]:
    starts = [n for n, line in enumerate(lines) if line.startswith("Failure # ")]
    return lines[starts[-1] + 1 :] if starts else lines


def _detail(lines: Sequence[str]) -> str:
    """Return Ray's own reason: the last line, but for a remark on what follows from it."""
    reasons = [line.strip() for line in lines if not line.startswith("The actor never ran")]
    return reasons[-1][:MAX_DETAIL] if reasons else ""
