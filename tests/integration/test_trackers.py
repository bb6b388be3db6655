"""Experiment trackers on a real study: TensorBoard's files are there, and hold the metrics."""

import importlib.util
import struct
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from tests.integration.studies import scoot, write_study

pytestmark = pytest.mark.slow


def scalars(file: Path) -> dict[str, float]:
    """Read an event file: length, its checksum, an event and its checksum, again and again."""
    content, at = file.read_bytes(), 0
    found: dict[str, float] = {}
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])
        found |= {value.tag: value.simple_value for value in event.summary.value}
        at += 12 + length + 4
    return found


def test_tensorboard_gets_every_trial(tmp_path: Path) -> None:
    study = write_study(
        tmp_path,
        callbacks=["tensorboard"],
        search={"observations": 2},
        confirm={"repeats": 0},
        drift={"repeats": 0},
    )
    run = scoot("tune", study, "--output", tmp_path / "out")
    assert run.returncode == 0, run.stdout + run.stderr
    files = sorted((tmp_path / "out" / "tensorboard").rglob("events.out.tfevents*"))
    assert [file.parent.name for file in files] == ["trial-0000", "trial-0001", "trial-0002"]
    default = scalars(files[0])
    assert 0 < default["ray/tune/outcome/metrics/ttft_mean_s"] < 100
    assert "\x1b[" not in run.stdout, "lines only, where there is no terminal"


def test_a_tracker_that_is_not_installed_ends_in_one_message(tmp_path: Path) -> None:
    if importlib.util.find_spec("wandb") is not None:
        pytest.skip("wandb is installed here")
    run = scoot("tune", write_study(tmp_path, callbacks=["wandb"]), "--output", tmp_path / "out")
    assert run.returncode == 2
    assert "pip install wandb" in run.stderr
    assert not (tmp_path / "out" / "journal.jsonl").exists()
