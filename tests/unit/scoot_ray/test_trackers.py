"""Experiment trackers: which callbacks a study gets, and what is said where one cannot be had."""

from dataclasses import replace
from pathlib import Path

import pytest
from ray.tune import Callback

from scoot_ray.core.errors import StudyError
from scoot_ray.output import Output
from scoot_ray.trackers import TRACKERS, TensorBoard, make_trackers
from tests.unit.scoot_ray.reports import made_up_study


def test_tensorboard_is_made(tmp_path: Path) -> None:
    study = made_up_study(callbacks=["tensorboard"])
    (callback,) = make_trackers(study, Output(tmp_path))
    assert isinstance(callback, TensorBoard)


def test_every_name_of_a_study_file_has_a_tracker() -> None:
    from scoot_ray.core.callbacks import NAMES

    assert tuple(TRACKERS) == NAMES


def test_a_package_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    study = made_up_study(callbacks=[{"mlflow": {}}])
    with pytest.raises(StudyError, match="pip install mlflow"):
        make_trackers(study, Output(tmp_path))


def test_an_option_that_tensorboard_does_not_have(tmp_path: Path) -> None:
    study = made_up_study(callbacks=[{"tensorboard": {"foldr": "x"}}])
    with pytest.raises(StudyError, match="foldr"):
        make_trackers(study, Output(tmp_path))


def test_a_server_that_is_not_to_be_had_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Callback):
        def setup(self, *args: object, **info: object) -> None:
            raise ConnectionError("no server at http://127.0.0.1:9.")

        def __init__(self, **options: object) -> None:
            pass

    tracker = replace(TRACKERS["tensorboard"], load=lambda: (Refusing, (ConnectionError,)))
    monkeypatch.setattr("scoot_ray.trackers.TRACKERS", {"mlflow": tracker})
    study = made_up_study(callbacks=["mlflow"])
    with pytest.raises(StudyError, match=r"^callbacks.mlflow: no server at http://127.0.0.1:9\.$"):
        make_trackers(study, Output(tmp_path))
