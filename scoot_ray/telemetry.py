"""The Ray Tune callback that publishes a study's readings as Ray metrics.

They come from the driver: the series of an actor that has died vanish from Ray's metrics page.
"""

import time
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Callback
from ray.util.metrics import Gauge

from scoot_ray.core.journal import Journal
from scoot_ray.plan import Plan
from scoot_ray.readings import GPU_SECONDS, METRICS, Reading, readings_of

if TYPE_CHECKING:
    from ray.tune.experiment import Trial

INTERVAL_S = 2.0
STUDY = "study"


class Telemetry(Callback):
    """Publish readings when they may have changed, at most every `INTERVAL_S`."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._plan = plan
        self._journal = journal
        self._gauges: dict[str, Gauge] = {}
        self._gpu_seconds = {"trials": 0.0, "idle": 0.0}
        self._published_at_s = 0.0

    def setup(self, *arguments: Any, **info: Any) -> None:
        """Make the gauges: they need a connection to Ray."""
        for metric in METRICS:
            labels = (STUDY, *metric.labels)
            self._gauges[metric.name] = Gauge(metric.name, metric.description, tag_keys=labels)
        self._published_at_s = time.monotonic()

    def on_step_end(self, iteration: int, trials: "list[Trial]", **info: Any) -> None:
        """Publish now and then."""
        if time.monotonic() - self._published_at_s >= INTERVAL_S:
            self._publish(trials)

    def on_experiment_end(self, trials: "list[Trial]", **info: Any) -> None:
        """Publish how the study ended."""
        self._publish(trials)

    def _publish(self, trials: "list[Trial]") -> None:
        running = [trial for trial in trials if trial.status == "RUNNING"]
        self._count_gpu_seconds(running)
        for use, seconds in self._gpu_seconds.items():
            self._set(Reading(GPU_SECONDS, seconds, {"use": use}))
        readings = readings_of(
            self._plan.study,
            self._journal.read(),
            num_planned=self._plan.num_trials,
            num_running=len(running),
        )
        for reading in readings:
            self._set(reading)

    def _set(self, reading: Reading) -> None:
        labels = {STUDY: self._plan.study.name, **reading.labels}
        self._gauges[reading.metric.name].set(reading.value, tags=labels)

    def _count_gpu_seconds(self, running: "list[Trial]") -> None:
        now_s = time.monotonic()
        passed_s = now_s - self._published_at_s
        self._published_at_s = now_s
        held = sum(self._plan.num_gpus_of(trial.config["config"]) for trial in running)
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        num_gpus = resources.get("GPU", 0.0)
        self._gpu_seconds["trials"] += passed_s * held
        self._gpu_seconds["idle"] += passed_s * max(0.0, num_gpus - held)
