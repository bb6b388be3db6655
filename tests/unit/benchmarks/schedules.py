"""Trials of known times, to account for."""

from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord


def trial(number: int, gpus: int, start_s: float, end_s: float) -> TrialRecord:
    """Return a trial that held its GPUs from `start_s` to `end_s`."""
    return TrialRecord(
        number,
        {},
        TrialState.COMPLETE,
        {},
        num_gpus=gpus,
        started_at_s=start_s,
        ended_at_s=end_s,
    )
