"""Which measured configuration to export: the recommended one, one by number, or by conditions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scoot_ray.core.display import format_metric
from scoot_ray.core.errors import OutputError
from scoot_ray.core.objective import Objective, losses
from scoot_ray.core.pareto import Recommendation, measured
from scoot_ray.core.result import Result, confirmations_of
from scoot_ray.core.trial import TrialRecord
from scoot_ray.export.condition import Condition


@dataclass(frozen=True)
class Selection:
    """Say which configuration is wanted; the recommended one where nothing is said.

    Attributes:
        number: Of the trial, as the front's table prints it.
        conditions: That the measured metrics must meet.
        target: What to optimise among those that do.
    """

    number: int | None = None
    conditions: tuple[Condition, ...] = ()
    target: Objective | None = None

    def select(self, result: Result) -> tuple[TrialRecord, str]:
        """Return the wanted trial and why it is this one.

        Raises:
            OutputError: If there is none, naming the closest, or the wish is ambiguous.
        """
        if result.recommendation is None:
            raise OutputError(
                "The study has no completed trial yet, so there is nothing to export. "
                "Continue it with `scoot tune STUDY.yaml --resume`."
            )
        by_metrics = bool(self.conditions or self.target)
        if self.number is not None and by_metrics:
            raise OutputError("Give either --config or --where, --minimize, --maximize; not both.")
        if self.number is not None:
            return self._by_number(result, self.number)
        if by_metrics:
            return self._by_metrics(result)
        return result.recommendation.record, "recommended"

    def _by_number(self, result: Result, number: int) -> tuple[TrialRecord, str]:
        for record in measured(result.trials, ()):
            if record.number == number:
                return record, f"chosen; {_recommended(result)}"
        states = {r.number: f"is a {r.role.value} trial, {r.state.value}" for r in result.trials}
        front = ", ".join(str(record.number) for record in result.front)
        raise OutputError(
            f"--config {number}: trial {number} {states.get(number, 'does not exist')}. "
            f"The front's trials are {front}; `scoot report` prints them."
        )

    def _by_metrics(self, result: Result) -> tuple[TrialRecord, str]:
        target = self._target(result)
        candidates = measured(result.trials, [target])
        if not candidates:
            raise OutputError(f"No completed trial measured {target.metric}.")
        good = [r for r in candidates if all(c.holds(r.metrics) for c in self.conditions)]
        if not good:
            raise OutputError(self._no_match(candidates))
        best = min(good, key=lambda record: losses([target], record.metrics))
        wish = f"{'lowest' if target.direction == 'min' else 'highest'} {target.metric}"
        if self.conditions:
            wish += f" with {' and '.join(map(str, self.conditions))}"
        return best, f"{wish}; {_recommended(result)}"

    def _target(self, result: Result) -> Objective:
        if self.target is not None:
            return self.target
        if len(result.objectives) > 1:
            raise OutputError(
                "Several configurations may meet --where: add --minimize METRIC or --maximize "
                f"METRIC, such as --minimize {result.objectives[0].metric}."
            )
        return result.objectives[0]

    def _no_match(self, candidates: Sequence[TrialRecord]) -> str:
        closest = min(candidates, key=lambda r: max(c.distance(r.metrics) for c in self.conditions))
        values = ", ".join(
            f"{c.metric} {format_metric(c.metric, closest.metrics.get(c.metric))}"
            for c in self.conditions
        )
        wish = " and ".join(map(str, self.conditions))
        return f"No completed trial has {wish}. The closest is trial {closest.number}: {values}."


def as_recommendation(result: Result, record: TrialRecord) -> Result:
    """Return the result with another trial in the place of the recommended one."""
    missed = tuple(limit for limit in result.limits if not limit.met_by(record.metrics))
    chosen = Recommendation(record, missed)
    confirmations = confirmations_of(result.trials, chosen)
    return replace(result, recommendation=chosen, confirmations=confirmations)


def _recommended(result: Result) -> str:
    assert result.recommendation is not None
    return f"the study recommends trial {result.recommendation.record.number}"
