"""Failure labels: whose fault it was, decided by rules that are data.

A wrong label costs more than a missing one: INFEASIBLE teaches the search to keep away from a
configuration, so nothing that another configuration would also have suffered may be called that.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ConfigDict

from scoot_ray.core.trial import Failure, Outcome, Phase, TrialState


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
    advice="The engine stopped answering /health under load.",
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
