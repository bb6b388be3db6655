import os
from pathlib import Path

import pytest

from scoot_ray.core.errors import JournalError, OutputError
from scoot_ray.service.studies import Studies, read_tail
from tests.unit.scoot_ray.service.study_folders import FRONT, crashed, write_journal


def test_studies_are_found_in_folders_of_folders_and_named_by_one_word(tmp_path: Path) -> None:
    write_journal(tmp_path / "team" / "a~b")
    write_journal(tmp_path / "own")
    (tmp_path / "own" / "trials" / "0001").mkdir(parents=True)
    write_journal(tmp_path / ".hidden" / "c")
    studies = Studies.below(tmp_path)
    assert {folder.key for folder in studies.all()} == {"own", "team~1a~0b"}
    found = studies.find("team~1a~0b")
    assert found is not None
    assert found.path == tmp_path.resolve() / "team" / "a~b"


def test_the_last_changed_comes_first(tmp_path: Path) -> None:
    for number, name in enumerate("bca"):
        journal = write_journal(tmp_path / name) / "journal.jsonl"
        os.utime(journal, (number, number))
    assert [folder.key for folder in Studies.below(tmp_path).all()] == ["a", "c", "b"]


def test_links_are_no_studies(tmp_path: Path) -> None:
    outside = write_journal(tmp_path / "outside")
    root = tmp_path / "root"
    (root / "linked-file").mkdir(parents=True)
    (root / "linked-folder").symlink_to(outside)
    (root / "linked-file" / "journal.jsonl").symlink_to(outside / "journal.jsonl")
    os.mkfifo(root / "linked-file" / "study.yaml")
    assert Studies.below(root).all() == []


@pytest.mark.parametrize("key", ["..", ".", "../own", "/etc", "own/", "", "own\0", "%2e%2e"])
def test_only_keys_of_found_studies_name_one(tmp_path: Path, key: str) -> None:
    write_journal(tmp_path / "own")
    assert Studies.below(tmp_path).find(key) is None


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.txt", "link.txt", "folder", "pipe"])
def test_a_log_is_a_plain_file_of_its_study(tmp_path: Path, name: str) -> None:
    root = tmp_path / "study"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(root / "pipe")
    assert read_tail(root, name) == ""


def test_a_trial_identifier_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_text("secret")
    write_journal(tmp_path / "root" / "own", *FRONT, crashed(3, "no", "../../.."))
    folder = Studies.below(tmp_path / "root").all()[0]
    read = folder.read()
    assert read is not None
    assert folder.engine_log(read[1].trials[-1]) == ""


def test_the_end_of_a_long_log_is_read_whatever_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(b"first" + b"\xff" * 200_000 + b"last")
    tail = read_tail(tmp_path.resolve(), "x.log")
    assert tail.endswith("\ufffdlast")
    assert "first" not in tail


def test_a_journal_that_grew_is_read_again(tmp_path: Path) -> None:
    write_journal(tmp_path / "own", FRONT[0])
    folder = Studies.below(tmp_path).all()[0]
    before = folder.read()
    folder.journal.write_trial(FRONT[1])
    after = folder.read()
    assert before is not None
    assert after is not None
    assert (len(before[1].trials), len(after[1].trials)) == (1, 2)


@pytest.mark.parametrize(
    "line",
    ['{"kind": "study", "version": 1}', '{"kind": "study", "version": 1, "study": 5}', "[]", "x"],
)
def test_a_damaged_journal_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "journal.jsonl").write_text(line + "\n")
    with pytest.raises(JournalError):
        Studies.below(tmp_path).all()[0].read()


def test_a_study_is_no_root(tmp_path: Path) -> None:
    write_journal(tmp_path / "own")
    with pytest.raises(OutputError, match="the folder above"):
        Studies.below(tmp_path / "own")


def test_a_root_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "not" / "there"):
        with pytest.raises(OutputError, match="give a folder"):
            Studies.below(wrong)
    assert Studies.below(tmp_path / "new").all() == []


def test_a_new_study_takes_no_folder_that_is_there(tmp_path: Path) -> None:
    studies = Studies.below(tmp_path)
    folder = studies.create("mine", "name: mine")
    assert folder.study_file.stat().st_mode & 0o777 == 0o600, "it may hold secrets"
    assert studies.find("mine") == folder
    with pytest.raises(OutputError, match="another name"):
        studies.create("mine", "name: other")
    assert folder.study_file.read_text() == "name: mine"
