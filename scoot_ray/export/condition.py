"""Conditions on metrics, as a person types them: `ttft_p99_s < 0.5`."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scoot_ray.core.errors import StudyError
from scoot_ray.core.objective import require_metric

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORM = re.compile(r"\s*(\w+)\s*([<>]=?)\s*(\S+)\s*")


@dataclass(frozen=True)
class Condition:
    """Compare a metric with a number in the metric's own unit."""

    metric: str
    symbol: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read `METRIC OPERATOR NUMBER`.

        Raises:
            StudyError: If the text is of another form, or the metric is not one.
        """
        found = _FORM.fullmatch(text)
        bound = _number(found[3]) if found else None
        if found is None or bound is None:
            raise StudyError(
                f"--where {text!r}: expected METRIC, one of {' '.join(OPERATORS)}, and a number of "
                'seconds or of requests per second, such as "ttft_p99_s < 0.5".'
            )
        return cls(require_metric(found[1]), found[2], bound)

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """Tell whether the metrics meet the condition; a missing metric does not."""
        value = metrics.get(self.metric)
        return value is not None and OPERATORS[self.symbol](value, self.bound)

    def distance(self, metrics: Mapping[str, float]) -> float:
        """Relative amount by which the condition is missed; 0 when it holds."""
        if self.holds(metrics):
            return 0.0
        value = metrics.get(self.metric, math.inf)
        return abs(value - self.bound) / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.metric} {self.symbol} {self.bound:g}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
