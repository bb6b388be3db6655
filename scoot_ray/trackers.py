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


@dataclass(frozen=True)
class Tracker:
    """A tracker: the package it needs, its callback, and the option that takes its place or name.

    Attributes:
        package: What is imported; also what is installed.
        load: Imports and returns the callback's class.
        option: The option that is set unless the study sets it.
        default: Its value.
    """

    package: str
    load: Callable[[], type[Callback]]
    option: str
    default: Callable[[Study, Output], object]


def _mlflow() -> type[Callback]:
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    return MLflowLoggerCallback


def _wandb() -> type[Callback]:
    from ray.air.integrations.wandb import WandbLoggerCallback

    return WandbLoggerCallback


def _name(study: Study, _: Output) -> str:
    return study.name


def _folder(_: Study, output: Output) -> Path:
    return output.path / "tensorboard"


TRACKERS: Mapping[str, Tracker] = {
    "tensorboard": Tracker("tensorboardX", lambda: TensorBoard, "folder", _folder),
    "mlflow": Tracker("mlflow", _mlflow, "experiment_name", _name),
    "wandb": Tracker("wandb", _wandb, "project", _name),
}


def make_trackers(study: Study, output: Output) -> Sequence[Callback]:
    """Make the callbacks that a study asks for, before anything is started.

    Raises:
        StudyError: If a package is not installed here, or an option is not known to it.
    """
    callbacks = []
    for name, options in study.callbacks.items():
        tracker = TRACKERS[name]
        if importlib.util.find_spec(tracker.package) is None:
            raise StudyError(
                f"callbacks: {name} needs a package that is not installed here; "
                f"`pip install {tracker.package}`, or leave {name} out."
            )
        try:
            make: Callable[..., Callback] = tracker.load()
            default = {tracker.option: tracker.default(study, output)}
            callbacks.append(make(**{**default, **options}))
        except TypeError as error:
            raise StudyError(f"callbacks.{name}: {error}.") from None
    return callbacks
