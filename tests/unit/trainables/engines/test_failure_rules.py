"""Failure labels, checked on what engines really wrote, with where it was written."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from scoot_ray.core.failure import Phase
from scoot_ray.core.outcome import TrialState
from trainables.engines import failure_rules
from trainables.engines.engine_log import read_lines, tail
from trainables.engines.failure_rules import SHARED, load_failure_rules, read_failure_rules
from trainables.failure import ENGINE_EXITED, Label, diagnose

FOLDER = Path(__file__).parent
CASES = FOLDER / "failure_cases"
RULES = Path(failure_rules.__file__).parent
ENGINES = sorted(
    file.name.removesuffix("_failures.yaml")
    for file in RULES.glob("*_failures.yaml")
    if not file.name.startswith(SHARED)
)


@dataclass(frozen=True)
class Case:
    """What an engine wrote when it died, by whom, and the cause that it must be given."""

    cause: str
    source: str
    log: str = ""
    file: str = ""
    phase: Phase = Phase.START

    def lines(self, folder: Path) -> list[str]:
        if self.file:
            return read_lines(FOLDER / self.file)
        path = folder / "engine.log"
        path.write_text(self.log)
        return read_lines(path)


def cases_of(engine: str) -> list[Case]:
    text = (CASES / f"{engine}.yaml").read_text(encoding="utf-8")
    return TypeAdapter(list[Case]).validate_python(yaml.safe_load(text))


ALL_CASES = [
    pytest.param(engine, case, id=f"{engine}-{n}-{case.cause}")
    for engine in ENGINES
    for n, case in enumerate(cases_of(engine))
]


@pytest.mark.parametrize(("engine", "case"), ALL_CASES)
def test_a_death_is_given_its_cause(engine: str, case: Case, tmp_path: Path) -> None:
    rule = diagnose(load_failure_rules(engine), case.phase, case.lines(tmp_path))
    assert rule.cause == case.cause
    assert case.source


@pytest.mark.parametrize("engine", ENGINES)
def test_every_rule_of_an_engine_has_a_case(engine: str) -> None:
    causes = {case.cause for case in cases_of(engine)}
    assert {rule.cause for rule in read_failure_rules(engine)} <= causes


def test_every_shared_rule_has_a_case_with_some_engine() -> None:
    causes = {case.cause for engine in ENGINES for case in cases_of(engine)}
    assert {rule.cause for rule in read_failure_rules(SHARED)} <= causes


@pytest.mark.parametrize("name", [SHARED, *ENGINES])
def test_rules_are_well_formed(name: str) -> None:
    rules = read_failure_rules(name)
    assert len({rule.cause for rule in rules}) == len(rules), "a cause has one rule in a file"
    for rule in rules:
        assert rule.advice.endswith(".")
        assert rule.patterns
        for pattern in rule.patterns:
            assert not re.search(pattern, ""), f"{pattern!r} matches everything"


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_are_asked_in_order(engine: str) -> None:
    labels = [rule.label for rule in load_failure_rules(engine)]
    assert labels == sorted(labels, key=list(Label).index)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_disk_wins_over_what_follows_from_it(engine: str) -> None:
    lines = ["RuntimeError: out of memory", "OSError: [Errno 28] No space left on device"]
    assert diagnose(load_failure_rules(engine), Phase.LOAD, lines).cause == "disk_full"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_unknown_death_stays_unknown(engine: str) -> None:
    assert diagnose(load_failure_rules(engine), Phase.LOAD, ["KeyError: 7"]) is ENGINE_EXITED


def test_start_rules_do_not_explain_a_death_under_load() -> None:
    lines = ["api_server.py: error: unrecognized arguments: --x"]
    rules = load_failure_rules("vllm")
    assert diagnose(rules, Phase.LOAD, lines) is ENGINE_EXITED
    rule = diagnose(rules, Phase.START, lines)
    assert (rule.label.state, rule.label) == (TrialState.FAILED, Label.STUDY)


def test_a_misspelt_key_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x_failures.yaml").write_text(
        "- {cause: a, label: study, pattern: [b], advice: 'C.'}"
    )
    monkeypatch.setattr(failure_rules, "__file__", str(tmp_path / "failure_rules.py"))
    with pytest.raises(ValidationError, match="pattern"):
        read_failure_rules("x")


def test_the_tail_shows_the_cause_and_no_frames() -> None:
    lines = tail(read_lines(FOLDER / "vllm_logs" / "block_size_16.log"))
    assert "ValueError: No common block size for 16 (CPU_ATTN: [MultipleOf(32)])." in lines
    assert not any('File "' in line or "^^^" in line for line in lines)
    assert len(lines) <= 15
