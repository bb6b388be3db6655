"""The paper's multi-objective search: EHVI against the default configuration, the k best."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from searchers.acquisition import log_ehvi
from searchers.candidates import Region, search
from searchers.observations import Observations
from searchers.surrogate import Surrogate


def propose_several(
    data: Observations,
    losses: Sequence[Surrogate],
    region: Region,
    num: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Propose at most `num` configurations for two or more objectives.

    Arguments and result are those of `sobo.propose_single`, with a surrogate of each objective.
    """
    acquisition = log_ehvi(losses, data.losses[data.is_complete], data.reference)
    return search(region, acquisition, rng).best(num)
