"""A study played through on the simulator, in this process and in virtual time."""

from scoot_ray.core.assignment import Assignment
from scoot_ray.core.journal import History
from scoot_ray.core.trial import TrialRecord
from scoot_ray.plan import Plan
from searchers.agenda import Pause
from trainables.backend import make_stress_test


def rehearse(plan: Plan) -> list[TrialRecord]:
    """Run every trial that a simulated study wants, one after the other.

    Returns:
        The trials, in order; one that failed beyond repair is the last.
    """
    stress_test = make_stress_test(plan.study)
    trials: list[TrialRecord] = []
    unfinished: list[Assignment] = []
    while True:
        batch = plan.agenda.next(History({}, tuple(trials), tuple(unfinished)), [])
        if isinstance(batch, Pause):
            return trials
        following = batch[0]
        known = {assignment.number for assignment in unfinished}
        unfinished += [assignment for assignment in batch if assignment.number not in known]
        unfinished.remove(following)
        outcome = stress_test.run(following.config, plan.trace, following.seed, following.bar)
        trials.append(TrialRecord.of(following, outcome))
