"""What a study found, folded from its journal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scoot_ray.core.journal import History
from scoot_ray.core.metrics import direction_of
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.pareto import Recommendation, pareto_front, recommend
from scoot_ray.core.study import Study
from scoot_ray.core.trial import Role, TrialRecord, TrialState


@dataclass(frozen=True)
class Result:
    """Gather the answer of a study and the evidence for it.

    Attributes:
        trials: Every finished trial.
        objectives: What was optimised.
        limits: SLOs that were asked for.
        default: The default configuration's trial, if it has finished.
        front: The non-dominated trials, best in the first objective first.
        recommendation: The configuration to use; None if nothing completed.
        confirmations: Repeated measurements of the recommended configuration.
        measured_by: The engine that the numbers come from, or that they are simulated.
    """

    trials: tuple[TrialRecord, ...]
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    default: TrialRecord | None
    front: tuple[TrialRecord, ...]
    recommendation: Recommendation | None
    confirmations: tuple[TrialRecord, ...]
    measured_by: str = ""

    @classmethod
    def from_history(cls, study: Study, history: History) -> "Result":
        """Fold a journal into the result."""
        result = cls.from_trials(history.trials, study.objectives, study.slo_limits)
        return replace(result, measured_by=history.header["measured_by"])

    @classmethod
    def from_trials(
        cls,
        trials: Sequence[TrialRecord],
        objectives: Sequence[Objective],
        limits: Sequence[Limit] = (),
    ) -> "Result":
        """Fold finished trials into the result."""
        recommendation = recommend(trials, objectives, limits)
        config = recommendation.record.config if recommendation else None
        confirmations = [r for r in trials if r.role is Role.CONFIRM and r.config == config]
        return cls(
            trials=tuple(trials),
            objectives=tuple(objectives),
            limits=tuple(limits),
            default=_default(trials),
            front=pareto_front(trials, objectives),
            recommendation=recommendation,
            confirmations=tuple(confirmations),
        )

    @property
    def metrics_of_interest(self) -> tuple[str, ...]:
        """List the metrics of objectives and limits, then throughput, each once."""
        names = [o.metric for o in self.objectives] + [limit.metric for limit in self.limits]
        return tuple(dict.fromkeys([*names, "throughput_rps"]))

    @property
    def is_confirmed(self) -> bool:
        """Tell whether every confirmation completed, and there was one."""
        states = {record.state for record in self._usable_confirmations}
        return states == {TrialState.COMPLETE}

    def confirmed_slo(self) -> dict[str, float]:
        """Return the worst value of each metric of interest over the confirmations.

        That is what can be promised: the configuration under the least lucky arrival order.
        """
        complete = [r for r in self.confirmations if r.state is TrialState.COMPLETE]
        worst: dict[str, float] = {}
        for metric in self.metrics_of_interest:
            values = [r.metrics[metric] for r in complete if metric in r.metrics]
            if values:
                worst[metric] = min(values) if direction_of(metric) == "max" else max(values)
        return worst

    @property
    def _usable_confirmations(self) -> list[TrialRecord]:
        return [r for r in self.confirmations if r.state is not TrialState.FAILED]


def _default(trials: Sequence[TrialRecord]) -> TrialRecord | None:
    defaults = [r for r in trials if r.role is Role.DEFAULT]
    usable = [r for r in defaults if r.state is not TrialState.FAILED]
    candidates = usable or defaults
    return candidates[-1] if candidates else None
