from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import TrialState
from trainables.failure import (
    ENGINE_EXITED,
    HEALTH_LOST,
    REQUEST_TIMEOUTS,
    STARTUP_TIMEOUT,
    FailureRule,
    Label,
    diagnose,
    failed_outcome,
    is_unexplained,
)

FIRST = FailureRule("first", Label.STUDY, "Mend it.", ("bad",))
SECOND = FailureRule("second", Label.CONFIGURATION, "Avoid it.", ("bad", "worse"))
AT_START = FailureRule(
    "start", Label.INFRASTRUCTURE, "Wait.", ("bad",), phases=frozenset({Phase.START})
)


def test_the_first_rule_that_matches_wins() -> None:
    assert diagnose([FIRST, SECOND], Phase.LOAD, ["so bad"]) is FIRST
    assert diagnose([FIRST, SECOND], Phase.LOAD, ["worse"]) is SECOND


def test_a_rule_applies_in_its_phases() -> None:
    assert diagnose([AT_START, SECOND], Phase.LOAD, ["bad"]) is SECOND
    assert diagnose([AT_START, SECOND], Phase.START, ["bad"]) is AT_START


def test_what_no_rule_explains_is_an_exit() -> None:
    assert diagnose([FIRST], Phase.LOAD, []) is ENGINE_EXITED
    assert diagnose([FIRST], Phase.LOAD, [], HEALTH_LOST) is HEALTH_LOST


def test_the_outcome_says_what_the_rule_says() -> None:
    outcome = failed_outcome(FIRST, Phase.LOAD, detail="Exit status: 1.", log_tail=("bad",))
    assert outcome.state is TrialState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.message == "Mend it. Exit status: 1."
    assert outcome.failure.log_tail == ("bad",)
    assert outcome.failure.fatal


def test_only_the_configuration_is_infeasible() -> None:
    assert {label: label.state for label in Label} == {
        Label.INFRASTRUCTURE: TrialState.FAILED,
        Label.STUDY: TrialState.FAILED,
        Label.CONFIGURATION: TrialState.INFEASIBLE,
    }
    assert not failed_outcome(AT_START, Phase.START).failure.fatal  # type: ignore[union-attr]


def test_a_slow_start_counts_when_it_happens_twice() -> None:
    assert is_unexplained(failed_outcome(STARTUP_TIMEOUT, Phase.START))
    assert not is_unexplained(failed_outcome(REQUEST_TIMEOUTS, Phase.DRAIN))
