"""The journal: lines, damage, and the history that they fold into."""

from pathlib import Path
from typing import Any

import pytest

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.errors import JournalError
from scoot_ray.core.journal import VERSION, Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord


def assignment(number: int) -> Assignment:
    return Assignment(number, Role.SEARCH, {"x": number}, seed=number)


def record(number: int, **changes: Any) -> TrialRecord:
    values: dict[str, Any] = {
        "number": number,
        "config": {"x": number},
        "state": TrialState.COMPLETE,
        "metrics": {"m": 1.0},
    }
    return TrialRecord(**(values | changes))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "out" / "journal.jsonl")
    made.write_study({"name": "s"}, trace_sha256="abc")
    return made


def test_it_exists_once_a_whole_line_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert not journal.exists()
    journal.path.write_bytes(b'{"kind": "stu')
    assert not journal.exists()
    journal.write_study({})
    assert journal.exists()
    assert [entry["kind"] for entry in journal.entries()] == ["study"]


def test_the_history_holds_the_study_its_trials_and_what_is_pending(journal: Journal) -> None:
    for number in range(3):
        journal.write_suggestion(assignment(number))
    journal.write_trial(record(1))
    history = journal.read()
    assert history.header["study"] == {"name": "s"}
    assert history.header["trace_sha256"] == "abc"
    assert history.trials == (record(1),)
    assert history.unfinished == (assignment(0), assignment(2))
    assert history.pending == ({"x": 0}, {"x": 2})


def test_what_was_written_twice_counts_once_the_first_time(journal: Journal) -> None:
    journal.write_suggestion(assignment(0))
    journal.write_suggestion(assignment(0))
    journal.write_trial(record(0))
    journal.write_trial(record(0, metrics={"m": 2.0}))
    assert journal.read().trials == (record(0),)
    assert journal.read().unfinished == ()


def test_entries_of_another_kind_are_passed_over(journal: Journal) -> None:
    journal.append("resume", {"observations": 40})
    assert journal.read().trials == ()


def test_a_finished_trial_is_one_line_with_the_promised_keys(journal: Journal) -> None:
    journal.write_trial(record(0))
    keys = {"kind", "number", "role", "config", "state", "metrics", "failure", "phases_s"}
    assert keys <= set(journal.entries()[-1])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, object()])
def test_a_value_that_is_not_json_writes_nothing(journal: Journal, value: Any) -> None:
    before = journal.path.read_bytes()
    with pytest.raises(ValueError, match=r"not JSON|Out of range"):
        journal.append("trial", {"metrics": value})
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize("damage", [b"{", b"", b"\xff", b"[1]", b"{}", b"\x00" * 8])
def test_a_damaged_middle_line_is_an_error_with_its_number(journal: Journal, damage: bytes) -> None:
    with journal.path.open("ab") as file:
        file.write(damage + b"\n")
    journal.write_trial(record(0))
    with pytest.raises(JournalError, match="line 2"):
        journal.read()


def test_a_trial_that_makes_no_sense_is_an_error_with_its_number(journal: Journal) -> None:
    journal.append("trial", record(0).to_json() | {"state": "COMPLETF"})
    with pytest.raises(JournalError, match=r"Line 2 .*COMPLETF"):
        journal.read()


def test_a_suggestion_without_a_number_is_an_error(journal: Journal) -> None:
    journal.append("suggestion", {"config": {}})
    with pytest.raises(JournalError, match=r"Line 2 .*number"):
        journal.read()


def test_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append("study", {"version": VERSION + 1, "study": {}})
    with pytest.raises(JournalError, match=f"version {VERSION + 1}"):
        journal.read()


def test_a_journal_begins_with_its_study(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write_trial(record(0))
    with pytest.raises(JournalError, match="does not begin with its study"):
        journal.read()


def test_a_torn_tail_longer_than_one_page_is_cut(journal: Journal) -> None:
    with journal.path.open("ab") as file:
        file.write(b"x" * 10_000)
    journal.write_trial(record(0))
    assert journal.read().trials == (record(0),)
