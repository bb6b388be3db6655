"""Attempts at one configuration: when it is tried again, and what a row of losses says about it.

A trial that was lost to infrastructure is FAILED and tried again. How often depends on what was
lost: machines go for reasons of their own, so many of them are forgiven; anything else that happens
a few times to the same configuration is no longer chance.
"""

from collections.abc import Sequence

from scoot_ray.core.assignment import Role
from scoot_ray.core.failure import Failure
from scoot_ray.core.outcome import Outcome, TrialState
from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord

NODE_LOST = "node_lost"
"""Cause of a failure: the machine died, was drained or pre-empted."""
SYSTEM_MEMORY = "system_memory"
"""Cause of a failure: the machine ran out of memory, and the system killed the trial."""

MAX_ATTEMPTS = 3
"""How often a configuration is tried before its failures are given up on."""
MAX_NODES_LOST = 10
"""How many machines a configuration may lose, which count in no other way."""


def attempts_at(config: Config, role: Role, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials of a configuration in one role, first to last."""
    return [r for r in trials if r.role is role and r.config == config]


def is_spent(attempts: Sequence[TrialRecord]) -> bool:
    """Tell whether the failures among `attempts` are all that a configuration is allowed."""
    causes = _causes(attempts)
    num_nodes = causes.count(NODE_LOST)
    return num_nodes >= MAX_NODES_LOST or len(causes) - num_nodes >= MAX_ATTEMPTS


def judged(outcome: Outcome, earlier: Sequence[TrialRecord]) -> Outcome:
    """Return the outcome of an attempt, seen together with the `earlier` ones.

    Memory that runs out once may be a neighbour's doing. Where every attempt that did not lose its
    machine ended so, the configuration is at fault, and the last of them is INFEASIBLE.
    """
    failure = outcome.failure
    if outcome.state is not TrialState.FAILED or failure is None or failure.cause != SYSTEM_MEMORY:
        return outcome
    causes = [cause for cause in _causes(earlier) if cause != NODE_LOST]
    if len(causes) + 1 < MAX_ATTEMPTS or set(causes) != {SYSTEM_MEMORY}:
        return outcome
    message = f"It ran its machine out of memory each of {MAX_ATTEMPTS} times. {failure.message}"
    known = Failure(failure.phase, failure.cause, message, failure.log_tail)
    return Outcome(TrialState.INFEASIBLE, failure=known, phases_s=outcome.phases_s)


def _causes(attempts: Sequence[TrialRecord]) -> list[str]:
    failed = [r for r in attempts if r.state is TrialState.FAILED]
    return [r.failure.cause if r.failure else "" for r in failed]
