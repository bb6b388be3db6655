"""The configuration that is exported, and the evidence that it rests on."""

import re
from dataclasses import dataclass

from scoot_ray.core.display import format_metric
from scoot_ray.core.metrics import direction_of
from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.result import Result
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord
from scoot_ray.export.engine_options import EngineOptions
from scoot_ray.report.verdict import compare
from trainables.backend import BACKENDS
from trainables.engines.adapter import Adapter

SIMULATED = (
    "SIMULATED: all numbers come from the embedded simulator; no engine was measured. "
    "Measure this configuration on the engine before promising anything."
)


@dataclass(frozen=True)
class Choice:
    """Hold one measured configuration of a study with everything that is known of it.

    Attributes:
        study: The study as resolved.
        result: Its result, with the chosen trial as the recommendation.
        reason: Why this trial, such as "recommended".
        journal_sha256: Hash of the journal that was read.
        trace_sha256: Hash of the trace that was replayed.
        missing: What the study still lacks; empty when it has ended.
    """

    study: Study
    result: Result
    reason: str
    journal_sha256: str
    trace_sha256: str
    missing: str = ""

    @property
    def record(self) -> TrialRecord:
        """The trial that measured the configuration."""
        assert self.result.recommendation is not None
        return self.result.recommendation.record

    @property
    def options(self) -> EngineOptions:
        """What the engine is started with."""
        return EngineOptions.of(self.study.engine, self.record.config)

    @property
    def adapter(self) -> Adapter:
        """The engine that serves it."""
        return BACKENDS[self.study.engine.kind].adapter

    @property
    def num_gpus_each(self) -> int:
        """GPUs of one replica."""
        return int(self.options.parameters.get("tensor_parallel_size", 1))

    @property
    def num_replicas(self) -> int:
        """Replicas that the service's GPUs hold."""
        return self.study.service.num_gpus // self.num_gpus_each

    @property
    def is_simulated(self) -> bool:
        """Whether the numbers come from the simulator."""
        return self.study.engine.kind == "simulated"

    @property
    def engine_version(self) -> str | None:
        """The version that was measured; None for a simulated engine."""
        # The preflight's sentence, "vLLM 0.32.0, which knows ...", is what the journal keeps.
        found = re.match(rf"{re.escape(self.adapter.name)} ([^\s,;]+)", self.result.measured_by)
        return found[1] if found and not self.is_simulated else None

    def evidence(self) -> list[str]:
        """Return lines that say what the configuration rests on, for comments."""
        service = self.study.service
        return [
            f"Study {self.study.name}, trial {self.record.number} ({self.reason}); "
            f"{len(self.result.trials)} trials; journal sha256 {self.journal_sha256}",
            *([f"The study has not ended: {self.missing}."] if self.missing else []),
            f"Model {self.options.model} on {service.num_gpus} x {service.accelerator}: "
            f"{self.num_replicas} replica(s) of {self.num_gpus_each}",
            *([SIMULATED] if self.is_simulated else []),
            f"Measured by: {self.result.measured_by}",
            *self.comparison(),
        ]

    def comparison(self) -> list[str]:
        """Return a line for each metric of interest, then confirmation and missed limits."""
        assert self.result.recommendation is not None
        lines = [self._compare(metric) for metric in self.result.metrics_of_interest]
        lines.append(self._confirmation())
        missed = self.result.recommendation.missed
        return lines + [f"Misses the limit {limit}" for limit in missed]

    def _compare(self, metric: str) -> str:
        result, worst = self.result, self.result.confirmed_slo().get(metric)
        if result.default is not None and self.record.config != result.default.config:
            line = compare(result, Objective(metric, direction_of(metric)))
        else:
            line = f"{metric} {format_metric(metric, result.tests.mean().get(metric))}"
        return line if worst is None else f"{line}, worst order {format_metric(metric, worst)}"

    def _confirmation(self) -> str:
        orders = [r for r in self.result.confirmations if r.state is not TrialState.FAILED]
        complete = [r for r in orders if r.state is TrialState.COMPLETE]
        if not orders:
            return "Not confirmed under other arrival orders"
        if len(complete) < len(orders):
            return f"Confirmation failed in {len(orders) - len(complete)} of {len(orders)} orders"
        return f"Confirmed on fresh engines under {len(orders)} arrival order(s)"
