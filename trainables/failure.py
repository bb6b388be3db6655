"""Failure labels: whose fault it was, decided by rules that are data.

A wrong label costs more than a missing one: INFEASIBLE teaches the search to keep away from a
configuration, so nothing that another configuration would also have suffered may be called that.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scoot_ray.core.trial import Failure, Outcome, Phase, TrialState


@dataclass(frozen=True)
class FailureRule:
    """Tie what an engine's log says to a cause.

    Attributes:
        cause: A short identifier.
        pattern: Regular expression, searched in each informative line of the log.
        state: INFEASIBLE when the configuration is at fault, else FAILED.
        advice: One sentence for a person: what happened, what to do.
        fatal: No configuration of the study can succeed.
        phases: The phases in which the rule applies.
    """

    cause: str
    pattern: str
    state: TrialState
    advice: str
    fatal: bool = False
    phases: frozenset[Phase] = frozenset(Phase)

    def matches(self, phase: Phase, lines: Iterable[str]) -> bool:
        """Tell whether the rule applies in `phase` and one of the log's lines shows it."""
        return phase in self.phases and any(re.search(self.pattern, line) for line in lines)


ENGINE_EXITED = FailureRule(
    cause="engine_exited",
    pattern="",
    state=TrialState.INFEASIBLE,
    advice="The engine exited with this configuration; its last lines say more.",
)
STARTUP_TIMEOUT = FailureRule(
    cause="startup_timeout",
    pattern="",
    state=TrialState.INFEASIBLE,
    advice="The engine was not ready in time; raise engine.startup_timeout_s if it needs longer.",
)
HEALTH_LOST = FailureRule(
    cause="health_lost",
    pattern="",
    state=TrialState.INFEASIBLE,
    advice="The engine stopped answering /health under load.",
)
REQUEST_TIMEOUTS = FailureRule(
    cause="request_timeouts",
    pattern="",
    state=TrialState.INFEASIBLE,
    advice="Too many requests were not answered within workload.request_timeout_s.",
)
REQUEST_ERRORS = FailureRule(
    cause="request_errors",
    pattern="",
    state=TrialState.INFEASIBLE,
    advice="Too many requests failed.",
)


def diagnose(rules: Sequence[FailureRule], phase: Phase, lines: Sequence[str]) -> FailureRule:
    """Return the first rule that explains an engine's death; `ENGINE_EXITED` if none does."""
    return next((rule for rule in rules if rule.matches(phase, lines)), ENGINE_EXITED)


def failed_outcome(
    rule: FailureRule, phase: Phase, *, detail: str = "", log_tail: tuple[str, ...] = ()
) -> Outcome:
    """Return the outcome that a rule gives to a trial that failed in `phase`."""
    message = f"{rule.advice} {detail}".strip()
    failure = Failure(phase, rule.cause, message, log_tail=log_tail, fatal=rule.fatal)
    return Outcome(rule.state, failure=failure)
