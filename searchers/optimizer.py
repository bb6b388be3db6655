"""The seam behind which every search algorithm lives."""

from collections.abc import Sequence
from typing import Any, Protocol

from scoot_ray.core.space import Config
from scoot_ray.core.trial import TrialRecord


class Optimizer(Protocol):
    """Decide what to measure next.

    An optimiser keeps no state between calls: what it does is a function of its seed, the history
    and the pending configurations, so a resumed study goes on as if nothing had happened.
    """

    def suggest(
        self,
        history: Sequence[TrialRecord],
        pending: Sequence[Config],
        num: int = 1,
    ) -> list[dict[str, Any]]:
        """Propose `num` configurations that satisfy every known constraint.

        Args:
            history: Finished trials in the order of their completion. FAILED and CANCELLED ones
                teach nothing; INFEASIBLE ones teach only the feasibility model.
            pending: Configurations that are being measured now.
            num: How many to propose, at least 1.

        Returns:
            `num` configurations; the very first of a study is the default.
        """
        ...


def require_num(num: int) -> None:
    """Check how many configurations are asked for.

    Raises:
        ValueError: If there is none.
    """
    if num < 1:
        raise ValueError(f"num: expected at least 1, got {num}.")
