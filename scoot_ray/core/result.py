"""What a study found, folded from its journal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scoot_ray.core.assignment import Role
from scoot_ray.core.confirmation import Repeats, confirmed
from scoot_ray.core.journal import History
from scoot_ray.core.noise import Noise
from scoot_ray.core.objective import Limit, Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.pareto import Recommendation, pareto_front
from scoot_ray.core.study import Study
from scoot_ray.core.trial import TrialRecord


@dataclass(frozen=True)
class Result:
    """Gather the answer of a study and the evidence for it.

    Attributes:
        trials: Every finished trial.
        objectives: What was optimised.
        limits: SLOs that were asked for.
        default: The default configuration's trial, if it has finished.
        front: The non-dominated trials, best in the first objective first.
        recommendation: The configuration to use; None if nothing completed. By the confirmations
            once there are any, by the tests of the search before (`core.confirmation`).
        confirmations: Repeated measurements of the recommended configuration.
        noise: How far repeated tests differ, and whether the default drifted.
        measured_by: The engine that the numbers come from, or that they are simulated.
        device: What the study spent, such as `GPU`.
    """

    trials: tuple[TrialRecord, ...]
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    default: TrialRecord | None
    front: tuple[TrialRecord, ...]
    recommendation: Recommendation | None
    confirmations: tuple[TrialRecord, ...]
    noise: Noise
    measured_by: str = ""
    device: str = "GPU"

    @classmethod
    def from_history(cls, study: Study, history: History) -> "Result":
        """Fold a journal into the result."""
        result = cls.from_trials(history.trials, study.objectives, study.slo_limits)
        measured_by = history.header["measured_by"]
        return replace(result, measured_by=measured_by, device=study.service.device)

    @classmethod
    def from_trials(
        cls,
        trials: Sequence[TrialRecord],
        objectives: Sequence[Objective],
        limits: Sequence[Limit] = (),
    ) -> "Result":
        """Fold finished trials into the result."""
        recommendation = confirmed(trials, objectives, limits)
        return cls(
            trials=tuple(trials),
            objectives=tuple(objectives),
            limits=tuple(limits),
            default=_default(trials),
            front=pareto_front(trials, objectives),
            recommendation=recommendation,
            confirmations=confirmations_of(trials, recommendation),
            noise=Noise.of(trials),
        )

    @property
    def metrics_of_interest(self) -> tuple[str, ...]:
        """List the metrics of objectives and limits, then throughput, each once."""
        names = [o.metric for o in self.objectives] + [limit.metric for limit in self.limits]
        return tuple(dict.fromkeys([*names, "throughput_rps"]))

    @property
    def is_confirmed(self) -> bool:
        """Tell whether every confirmation completed, and there was one."""
        return self._repeats.is_sound

    def confirmed_slo(self) -> dict[str, float]:
        """Return the worst value of each metric of interest over the confirmations.

        That is what can be promised: the configuration under the least lucky arrival order.
        """
        worst = self._repeats.worst()
        return {metric: worst[metric] for metric in self.metrics_of_interest if metric in worst}

    @property
    def tests(self) -> Repeats:
        """The tests that the recommended configuration is judged by: its confirmations, if any."""
        if self._repeats.complete or self.recommendation is None:
            return self._repeats
        return Repeats((self.recommendation.record,))

    @property
    def default_tests(self) -> Repeats:
        """All tests of the default configuration, spread over the study."""
        if self.default is None:
            return Repeats(())
        roles = (Role.DEFAULT, Role.DRIFT, Role.CONFIRM)
        return Repeats.of(self.trials, self.default.config, *roles)

    def band(self, metric: str) -> float | None:
        """Return the relative gain over the default that noise alone may bring; None if unknown."""
        num_tests = len(self.tests.values(metric))
        num_defaults = len(self.default_tests.values(metric))
        if not num_tests or not num_defaults:
            return None
        return self.noise.band(metric, num_tests, num_defaults)

    def is_meaningful(self, objective: Objective) -> bool:
        """Tell whether the gain in an objective lies outside the noise band, where it is known."""
        metric = objective.metric
        old, new = self.default_tests.mean().get(metric), self.tests.mean().get(metric)
        band = self.band(metric)
        if old is None or new is None or band is None:
            return True
        return abs(objective.gain(new, old)) > band

    @property
    def _repeats(self) -> Repeats:
        return Repeats(tuple(r for r in self.confirmations if r.state is not TrialState.FAILED))


def confirmations_of(
    trials: Sequence[TrialRecord], recommendation: Recommendation | None
) -> tuple[TrialRecord, ...]:
    """Return the repeated tests of a configuration, those of the default during the study too."""
    if recommendation is None:
        return ()
    roles, config = (Role.CONFIRM, Role.DRIFT), recommendation.record.config
    return tuple(r for r in trials if r.role in roles and r.config == config)


def _default(trials: Sequence[TrialRecord]) -> TrialRecord | None:
    defaults = [r for r in trials if r.role is Role.DEFAULT]
    usable = [r for r in defaults if r.state is not TrialState.FAILED]
    candidates = usable or defaults
    return candidates[-1] if candidates else None
