"""Failure labels: whose fault it was, decided by rules that are data.

A wrong label costs more than a missing one: INFEASIBLE teaches the search to keep away from a
configuration, so nothing that another configuration would also have suffered may be called that.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import ConfigDict

from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.outcome import Outcome, TrialState


class Label(StrEnum):
    """Whose fault a failure is, in the order in which rules are asked.

    What no configuration can help comes first, so that a full disk is not mistaken for a bad
    configuration because of what follows from it.
    """

    INFRASTRUCTURE = "infrastructure"  # FAILED: run again, shown to no model
    STUDY = "study"  # FAILED, and the study stops: every configuration would meet it
    CONFIGURATION = "configuration"  # INFEASIBLE: the search learns from it

    @property
    def state(self) -> TrialState:
        """The state of a trial that failed so."""
        return TrialState.INFEASIBLE if self is Label.CONFIGURATION else TrialState.FAILED


@dataclass(frozen=True)
class FailureRule:
    """Tie what an engine's log says to a cause.

    Attributes:
        cause: A short identifier.
        label: Whose fault it is.
        advice: One or two sentences for a person: what happened, what to do.
        patterns: Regular expressions; one that is found in an informative line of the log is
            enough.
        phases: The phases in which the rule applies.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    cause: str
    label: Label
    advice: str
    patterns: tuple[str, ...] = ()
    phases: frozenset[Phase] = frozenset(Phase)

    def matches(self, phase: Phase, lines: Iterable[str]) -> bool:
        """Tell whether the rule applies in `phase` and one of the log's lines shows it."""
        return phase in self.phases and any(
            re.search(pattern, line) for line in lines for pattern in self.patterns
        )


ENGINE_EXITED = FailureRule(
    cause="engine_exited",
    label=Label.CONFIGURATION,
    advice="The engine exited with this configuration; its last lines say more.",
)
STARTUP_TIMEOUT = FailureRule(
    cause="startup_timeout",
    label=Label.CONFIGURATION,
    advice="The engine was not ready in time; raise engine.startup_timeout_s if it needs longer.",
)
HEALTH_LOST = FailureRule(
    cause="health_lost",
    label=Label.CONFIGURATION,
    advice="The engine was no longer healthy (engine.health_timeout_s is its patience).",
)
REQUEST_TIMEOUTS = FailureRule(
    cause="request_timeouts",
    label=Label.CONFIGURATION,
    advice="Too many requests were not answered within workload.request_timeout_s.",
)
REQUEST_ERRORS = FailureRule(
    cause="request_errors",
    label=Label.CONFIGURATION,
    advice="Too many requests failed.",
)

UNEXPLAINED = frozenset(
    rule.cause for rule in (ENGINE_EXITED, STARTUP_TIMEOUT, HEALTH_LOST, REQUEST_ERRORS)
)
"""Causes that only say that something happened; they count when they happen twice.

A start may be slow because weights were fetched or kernels compiled for the first time.
"""


def diagnose(
    rules: Sequence[FailureRule],
    phase: Phase,
    lines: Sequence[str],
    otherwise: FailureRule = ENGINE_EXITED,
) -> FailureRule:
    """Return the first rule that explains an engine's death; `otherwise` if none does."""
    return next((rule for rule in rules if rule.matches(phase, lines)), otherwise)


def failed_outcome(
    rule: FailureRule, phase: Phase, *, detail: str = "", log_tail: tuple[str, ...] = ()
) -> Outcome:
    """Return the outcome that a rule gives to a trial that failed in `phase`."""
    failure = Failure(
        phase,
        rule.cause,
        f"{rule.advice} {detail}".strip(),
        log_tail=log_tail,
        fatal=rule.label is Label.STUDY,
    )
    return Outcome(rule.label.state, failure=failure)


def is_unexplained(outcome: Outcome) -> bool:
    """Tell whether a trial failed for no known reason, so that it should be tried once more."""
    return outcome.failure is not None and outcome.failure.cause in UNEXPLAINED


def after_retry(first: Outcome, second: Outcome) -> Outcome:
    """Return the outcome of a trial that was run again because its first end was not explained.

    The second run decides. What is not explained twice is taken for the configuration's fault.
    """
    phases_s = dict(first.phases_s)
    for name, seconds in second.phases_s.items():
        phases_s[name] = phases_s.get(name, 0.0) + seconds
    failure = second.failure
    if failure is not None and is_unexplained(second):
        failure = replace(failure, message=f"{failure.message} It failed so twice.")
    return replace(second, failure=failure, phases_s=phases_s, first_failure=first.failure)
