"""The journal under any content, and cut or damaged anywhere."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoot_ray.core.assignment import Assignment, Role
from scoot_ray.core.errors import JournalError
from scoot_ray.core.failure import Failure, Phase
from scoot_ray.core.journal import Journal
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), FINITE, st.text(max_size=8))
CONFIGS = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=4)
METRICS = st.dictionaries(st.text(min_size=1, max_size=8), FINITE, max_size=4)
FAILURES = st.builds(
    Failure,
    st.sampled_from(Phase),
    st.text(max_size=8),
    st.text(max_size=20),
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
    st.booleans(),
)
RECORDS = st.builds(
    TrialRecord,
    number=st.integers(0, 1000),
    config=CONFIGS,
    state=st.sampled_from(TrialState),
    metrics=METRICS,
    role=st.sampled_from(Role),
    failure=st.none() | FAILURES,
    phases_s=METRICS,
    seed=st.integers(0, 2**32),
    trial_id=st.text(max_size=8),
    num_gpus=st.integers(0, 8),
    gpu_seconds=FINITE,
    is_bound=st.booleans(),
)
ASSIGNMENTS = st.builds(
    Assignment, st.integers(0, 1000), st.sampled_from(Role), CONFIGS, st.integers(0, 2**32)
)


def write(folder: str, records: list[TrialRecord]) -> Journal:
    journal = Journal(Path(folder) / "journal.jsonl")
    journal.write_study({"name": "s"})
    for record in records:
        journal.write_trial(record)
    return journal


def numbered(records: list[TrialRecord]) -> list[TrialRecord]:
    return [
        TrialRecord.from_json(record.to_json() | {"number": number})
        for number, record in enumerate(records)
    ]


@given(records=st.lists(RECORDS, max_size=4), assignments=st.lists(ASSIGNMENTS, max_size=4))
def test_records_round_trip(records: list[TrialRecord], assignments: list[Assignment]) -> None:
    records = numbered(records)
    with TemporaryDirectory() as folder:
        journal = write(folder, records)
        for assignment in assignments:
            journal.write_suggestion(assignment)
        history = journal.read()
    assert history.trials == tuple(records)
    assert {a.number for a in history.unfinished} == (
        {a.number for a in assignments} - {r.number for r in records}
    )
    assert all(a in assignments for a in history.unfinished)


@given(records=st.lists(RECORDS, min_size=1, max_size=3), data=st.data())
def test_a_file_cut_anywhere_reads_as_a_prefix_and_can_be_written_on(
    records: list[TrialRecord], data: st.DataObject
) -> None:
    records = numbered(records)
    with TemporaryDirectory() as folder:
        journal = write(folder, records)
        content = journal.path.read_bytes()
        header = content.index(b"\n") + 1
        cut = data.draw(st.integers(header, len(content)))
        journal.path.write_bytes(content[:cut])
        num_whole = content[header:cut].count(b"\n")
        assert journal.read().trials == tuple(records[:num_whole])

        journal.write_trial(records[-1])
        expected = [*records[:num_whole], records[-1]][: len(records)]
        assert journal.read().trials == tuple(expected)


@given(cut=st.integers(0, 40))
def test_a_torn_header_means_that_nothing_was_written(cut: int) -> None:
    with TemporaryDirectory() as folder:
        journal = write(folder, [])
        torn = journal.path.read_bytes()[: min(cut, journal.path.stat().st_size - 1)]
        journal.path.write_bytes(torn)
        assert not journal.exists()
        assert journal.entries() == []
        with pytest.raises(JournalError):
            journal.read()


@given(records=st.lists(RECORDS, min_size=2, max_size=4), data=st.data())
def test_a_middle_line_that_lost_its_end_is_an_error(
    records: list[TrialRecord], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        journal = write(folder, numbered(records))
        lines = journal.path.read_bytes().split(b"\n")
        which = data.draw(st.integers(0, len(lines) - 3))
        lines[which] = lines[which][: data.draw(st.integers(0, len(lines[which]) - 1))]
        journal.path.write_bytes(b"\n".join(lines))
        with pytest.raises(JournalError, match=f"line {which + 1} "):
            journal.read()
