import pytest

from scoot_ray.core.errors import UserError
from scoot_ray.core.failure import Phase
from trainables.engines.failure_rules import load_failure_rules
from trainables.failure import diagnose
from trainables.simulator.served.fault import Fault, FaultKind


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_can_be_named_alone_and_with_a_number(kind: FaultKind) -> None:
    assert Fault.parse(kind).kind is kind
    assert Fault.parse(f"{kind}:7") == Fault(kind, 7.0)


@pytest.mark.parametrize("text", ["", "die", "hang:", "hang:x", "hang:-1", "hang:1:2", "Hang"])
def test_anything_else_is_answered_by_what_there_is(text: str) -> None:
    with pytest.raises(UserError, match="expected"):
        Fault.parse(text)
    with pytest.raises(UserError, match=r"die-at-start\[:SECONDS=1\].*hang\[:REQUESTS=0\]"):
        Fault.parse("dy-at-start")


@pytest.mark.parametrize("kind", [FaultKind.DIE_MID_LOAD, FaultKind.OUT_OF_MEMORY])
def test_death_comes_with_the_request_after_those_served(kind: FaultKind) -> None:
    fault = Fault(kind, 3)
    assert fault.failure(3) is None
    assert fault.failure(4) is not None
    assert fault.start_failure is None
    assert not fault.hangs(4)


def test_the_last_lines_are_labelled_as_those_of_a_real_engine() -> None:
    causes = {}
    for kind in (FaultKind.DIE_MID_LOAD, FaultKind.OUT_OF_MEMORY):
        failure = Fault(kind).failure(1)
        assert failure is not None
        causes[kind] = diagnose(load_failure_rules("vllm"), Phase.LOAD, failure.log_tail).cause
    assert causes == {
        FaultKind.DIE_MID_LOAD: "engine_exited",
        FaultKind.OUT_OF_MEMORY: "out_of_memory",
    }
    at_start = Fault(FaultKind.DIE_AT_START).start_failure
    assert at_start is not None
    assert (
        diagnose(load_failure_rules("vllm"), Phase.START, at_start.log_tail).cause
        == "engine_exited"
    )


def test_no_fault_does_nothing() -> None:
    fault = Fault()
    assert (fault.start_delay_s, fault.start_failure, fault.failure(10**9)) == (0.0, None, None)
    assert not fault.hangs(10**9)
