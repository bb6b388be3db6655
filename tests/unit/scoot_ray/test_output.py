"""Outputs by path and by URI, against a store that is a dictionary."""

import logging
import pickle
from pathlib import Path

import pytest

from scoot_ray.core.errors import OutputError
from scoot_ray.core.journal import JOURNAL
from scoot_ray.core.object_store import ObjectStore
from scoot_ray.output import MirroredOutput, Output, open_output

URI = "s3://bucket/study"


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """Stand in for the bucket, and for this machine's cache."""
    files: dict[str, bytes] = {}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    monkeypatch.setattr(ObjectStore, "read", lambda self, name: files.get(name))
    monkeypatch.setattr(ObjectStore, "write", lambda self, name, data: files.update({name: data}))
    return files


def on_another_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MirroredOutput:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there"))
    output = open_output(URI)
    assert isinstance(output, MirroredOutput)
    return output


def be_away(self: ObjectStore, name: str, content: bytes = b"") -> None:
    raise OSError("the store is away")


def test_paths_stay_paths(tmp_path: Path) -> None:
    for text in (str(tmp_path / "out"), f"file://{tmp_path}/out"):
        output = open_output(text)
        assert type(output) is Output
        assert output.path == tmp_path / "out"
    assert open_output("~/out").path == Path.home() / "out"


@pytest.mark.parametrize("uri", ["http://host/x", "s3://bucket", "s3:///x", "gs://bucket/"])
def test_what_is_no_folder_is_refused(uri: str) -> None:
    with pytest.raises(OutputError, match="expected a folder"):
        open_output(uri)


@pytest.mark.parametrize("uri", ["s3://id:hush@bucket/x", "s3://bucket/x?secret_key=hush"])
def test_credentials_in_a_uri_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(OutputError, match="by the environment") as refusal:
        open_output(uri)
    assert "hush" not in str(refusal.value)


def test_every_line_is_in_the_store_and_another_machine_goes_on(
    stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = open_output(URI)
    with here.held():
        here.journal.write_study({"name": "a"})
        here.journal.append("resume", {})
        assert stored[JOURNAL] == here.journal.path.read_bytes()
    there = on_another_machine(monkeypatch, tmp_path)
    with there.held():
        there.journal.append("resume", {})
        assert len(there.journal.entries()) == 3
    with here.held():
        assert len(here.journal.entries()) == 3


def test_a_store_that_is_away_can_wait(
    stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    output = open_output(URI)
    with output.held():
        output.journal.write_study({"name": "a"})
        with monkeypatch.context() as away, caplog.at_level(logging.WARNING):
            away.setattr(ObjectStore, "write", be_away)
            output.journal.append("resume", {})
        assert "is behind" in caplog.text
        assert stored[JOURNAL].count(b"\n") == 1
    assert stored[JOURNAL].count(b"\n") == 2


def test_what_did_not_get_there_gets_there_in_the_next_run(
    stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = open_output(URI)
    holding = output.held()
    holding.__enter__()
    output.journal.write_study({"name": "a"})
    monkeypatch.setattr(ObjectStore, "write", be_away)
    output.journal.append("resume", {})
    with pytest.raises(OutputError, match=r"They are in .*next run"):
        holding.__exit__(None, None, None)
    monkeypatch.setattr(ObjectStore, "write", lambda _, name, data: stored.update({name: data}))
    with output.held():
        assert len(output.journal.entries()) == 2
    assert stored[JOURNAL].count(b"\n") == 2


def test_a_store_that_is_away_at_the_start_is_told(
    stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ObjectStore, "write", be_away)
    with (
        pytest.raises(OutputError, match=f"Cannot use the output {URI}: the store is away"),
        open_output(URI).held(),
    ):
        pass


def test_two_machines_at_once_are_noticed_and_nothing_is_overwritten(
    stored: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = open_output(URI)
    here.journal.write_study({"name": "a"})
    there = on_another_machine(monkeypatch, tmp_path)
    with there.held():
        there.journal.append("resume", {"by": "there"})
    with pytest.raises(OutputError, match="Another process writes"):
        here.journal.append("resume", {"by": "here"})
    assert b"there" in stored[JOURNAL]
    assert b"here" in here.journal.path.read_bytes()
    # The next run follows the store, and sets the other journal aside.
    here.fetch()
    assert here.journal.path.read_bytes() == stored[JOURNAL]
    assert list(here.path.glob("*.aside-1"))


def test_a_trials_files_are_brought_and_the_disk_is_freed(
    stored: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "0003"
    folder.mkdir()
    (folder / "engine.log").write_text("ready")
    keep = pickle.loads(pickle.dumps(open_output(URI).keep))
    keep(folder)
    assert stored == {"trials/0003/engine.log": b"ready"}
    assert not folder.exists()
    assert open_output(URI).read("trials/0003/engine.log") == b"ready", "from the store"
    assert open_output(URI).read("trials/0004/engine.log") is None


def test_files_that_cannot_be_brought_stay(
    stored: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "0003"
    folder.mkdir()
    (folder / "engine.log").write_text("ready")
    monkeypatch.setattr(ObjectStore, "write", be_away)
    open_output(URI).keep(folder)
    assert (folder / "engine.log").read_text() == "ready"
