"""A published optimiser behind our seam: initial points, then what its process answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.comparison.line_process import LineProcess
from benchmarks.comparison.valid_box import ValidBox
from scoot_ray.core.objective import Objective
from scoot_ray.core.space import Config, SearchSpace
from scoot_ray.core.trial import TrialRecord
from searchers.initial_design import make_up, sobol_stream
from searchers.observations import Observations, key_of

NUM_ATTEMPTS = 3
"""How often a peer is asked again when it proposes what was measured already."""


@dataclass(frozen=True)
class PeerSearch:
    """Suggest the default, quasi-random points of the valid box, then the peer's.

    Attributes:
        tool: A key of `benchmarks.peers.__main__.TOOLS`.
        num_initial: Quasi-random points, the default not counted: the tool's own default number.
        budget: Observations that the search will have.
    """

    process: LineProcess
    tool: str
    box: ValidBox
    space: SearchSpace
    objectives: Sequence[Objective]
    seed: int
    num_initial: int
    budget: int

    def suggest(
        self, history: Sequence[TrialRecord], pending: Sequence[Config], num: int = 1
    ) -> list[dict[str, Any]]:
        """Propose `num` configurations; see `Optimizer.suggest`."""
        data = Observations.of(self.space, self.objectives, (), history, pending)
        chosen: list[dict[str, Any]] = []
        while len(chosen) < num:
            chosen.append(self._next(data.awaiting(chosen)))
        return chosen

    def _next(self, data: Observations) -> dict[str, Any]:
        if data.count == 0:
            return dict(self.space.default)
        box = self.box
        if data.count <= self.num_initial or not data.is_measured:
            for units in sobol_stream(self.space.dim, self.seed):
                config = box.decode(box.from_unit_cube(units.tolist()))
                if key_of(self.space, config) not in data.taken:
                    return config
        for attempt in range(NUM_ATTEMPTS):
            question = {"tool": self.tool, "problem": self._problem(data, attempt)}
            config = box.decode(self.process.ask(question)["point"])
            if key_of(self.space, config) not in data.taken:
                return config
        return make_up(self.space, data.taken, 1, self.seed)[0]

    def _problem(self, data: Observations, attempt: int) -> dict[str, Any]:
        box = self.box
        rows = zip(data.is_complete, data.losses, strict=True)
        return {
            "dimensions": box.dimensions,
            "seed": (self.seed * 1000 + data.count) * NUM_ATTEMPTS + attempt,
            "budget": self.budget,
            "points": [box.encode(config) for config in data.configs],
            "losses": [[float(x) for x in losses] if known else None for known, losses in rows],
            "pending": [box.encode(config) for config in data.pending_configs],
            "reference": [float(loss) for loss in data.reference],
        }
