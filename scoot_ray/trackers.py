"""Experiment trackers, by their names in a study file: Ray Tune's own callbacks."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ray.tune import Callback
from ray.tune.logger import TBXLoggerCallback

from scoot_ray.core.errors import StudyError
from scoot_ray.core.study import Study
from scoot_ray.output import Output

if TYPE_CHECKING:
    from ray.tune.experiment import Trial


class TensorBoard(TBXLoggerCallback):
    """Ray's logger, writing into the study's output: Tune's own folder goes with the run."""

    def __init__(self, folder: str | Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._folder = Path(folder)

    def log_trial_start(self, trial: "Trial") -> None:
        """Open the trial's event file."""
        folder = self._folder / f"trial-{trial.config['number']:04d}"
        self._trial_writer[trial] = self._summary_writer_cls(str(folder), flush_secs=30)
        self._trial_result[trial] = {}


Loaded = tuple[type[Callback], tuple[type[Exception], ...]]
"""A callback's class, and what it raises where an option or a server is not as it wants."""


@dataclass(frozen=True)
class Tracker:
    """A tracker: the package it needs, its callback, and the option that takes its place or name.

    Attributes:
        package: What is imported; also what is installed.
        load: Imports the package and the callback.
        option: The option that is set unless the study sets it.
        default: Its value.
    """

    package: str
    load: Callable[[], Loaded]
    option: str
    default: Callable[[Study, Output], object]


def _tensorboard() -> Loaded:
    return TensorBoard, (OSError,)


def _mlflow() -> Loaded:
    from mlflow.exceptions import MlflowException
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    return MLflowLoggerCallback, (MlflowException,)


def _wandb() -> Loaded:
    from ray.air.integrations.wandb import WandbLoggerCallback
    from wandb.errors import Error

    return WandbLoggerCallback, (Error, ValueError)


def _name(study: Study, _: Output) -> str:
    return study.name


def _folder(_: Study, output: Output) -> Path:
    return output.path / "tensorboard"


TRACKERS: Mapping[str, Tracker] = {
    "tensorboard": Tracker("tensorboardX", _tensorboard, "folder", _folder),
    "mlflow": Tracker("mlflow", _mlflow, "experiment_name", _name),
    "wandb": Tracker("wandb", _wandb, "project", _name),
}


def make_trackers(study: Study, output: Output) -> Sequence[Callback]:
    """Make the callbacks that a study asks for, before anything is started.

    Raises:
        StudyError: If a package is not installed here, an option is not known to it, or its server
            is not to be had.
    """
    callbacks: list[Callback] = []
    for name, options in study.callbacks.items():
        tracker = TRACKERS[name]
        if importlib.util.find_spec(tracker.package) is None:
            raise StudyError(
                f"callbacks: {name} needs a package that is not installed here; "
                f"`pip install {tracker.package}`, or leave {name} out."
            )
        default = {tracker.option: tracker.default(study, output)}
        callbacks.append(_ready(name, tracker, {**default, **options}))
    return callbacks


def _ready(name: str, tracker: Tracker, options: Mapping[str, object]) -> Callback:
    """Make a callback and set it up; where only Tune did so, it would end in a traceback."""
    kind, refusals = tracker.load()
    make: Callable[..., Callback] = kind
    # An option that it does not have is a TypeError.
    mistakes: tuple[type[Exception], ...] = (TypeError, *refusals)
    try:
        callback = make(**options)
        callback.setup()
    except mistakes as error:
        raise StudyError(f"callbacks.{name}: {str(error).rstrip('.')}.") from None
    return callback
