"""The dynamic threshold on the probability of feasibility (paper, section 5 of the design).

    symbol  meaning                                           range
    Delta   least POF that a suggestion may have              [0.25, 0.75]
    v       step of Delta                                     0.05
    c       completed trials since the last change of Delta   0, 1, ...

Batches: the paper evaluates k configurations and then updates. Where trials are asynchronous, each
finished trial is a batch of its own (k = 1), in the order of completion.
"""

from collections.abc import Sequence
from dataclasses import dataclass

START = 0.5
STEP = 0.05
LOWEST, HIGHEST = 0.25, 0.75
PATIENCE = 5


@dataclass(frozen=True)
class Threshold:
    """Hold Delta and its counter; `after` gives the next state."""

    delta: float = START
    num_completed: int = 0

    def after(self, num_trials: int, *, any_infeasible: bool) -> "Threshold":
        """Return the threshold after a batch of `num_trials`."""
        if any_infeasible:
            return Threshold(min(HIGHEST, max(START, self.delta + STEP)))
        num_completed = self.num_completed + num_trials
        if num_completed < PATIENCE:
            return Threshold(self.delta, num_completed)
        return Threshold(max(LOWEST, self.delta - STEP), num_completed - PATIENCE)


def fold_threshold(completed: Sequence[bool], batch_size: int = 1) -> Threshold:
    """Fold trials, in the order of completion, into the threshold; the initial design counts."""
    threshold = Threshold()
    for start in range(0, len(completed), batch_size):
        batch = completed[start : start + batch_size]
        threshold = threshold.after(len(batch), any_infeasible=not all(batch))
    return threshold
