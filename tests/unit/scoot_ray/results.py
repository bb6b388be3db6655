"""Results to write reports about."""

from scoot_ray.core.assignment import Role
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result
from scoot_ray.core.trial import TrialRecord

OBJECTIVES = (Objective("ttft_mean_s", "min"), Objective("tpot_mean_s", "min"))


def trial(
    number: int, ttft_s: float, tpot_s: float, role: Role = Role.SEARCH, size: int | None = None
) -> TrialRecord:
    """Return a complete trial of `max_num_seqs=size`, by default its own number."""
    metrics = {"ttft_mean_s": ttft_s, "tpot_mean_s": tpot_s, "throughput_rps": 5.0}
    config = {"max_num_seqs": number if size is None else size}
    return TrialRecord(number, config, TrialState.COMPLETE, metrics, role=role)


def crashed(number: int, *log_tail: str) -> TrialRecord:
    """Return a trial that ran out of memory."""
    failure = Failure(Phase.START, "out_of_memory", "It ran out of memory.", log_tail)
    return TrialRecord(number, {"max_num_seqs": number}, TrialState.INFEASIBLE, {}, failure=failure)


def study_result(*extra: TrialRecord, limits: tuple[Limit, ...] = ()) -> Result:
    """Return a default, two trials on the front of which trial 2 is recommended, and `extra`."""
    trials = [
        trial(0, 1.0, 0.10, Role.DEFAULT),
        trial(1, 0.9, 0.05),
        trial(2, 0.2, 0.06),
        trial(3, 2.0, 0.20),
        *extra,
    ]
    return Result.from_trials(trials, OBJECTIVES, limits)
