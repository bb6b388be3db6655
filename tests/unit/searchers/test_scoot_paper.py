import numpy as np
import pytest

from scoot_ray.core.objective import Objective
from searchers import make_optimizer
from searchers.feasibility import Feasibility
from searchers.observations import Observations
from searchers.scoot_paper import fit_gp, propose
from searchers.threshold import fold_threshold
from tests.unit.searchers.spaces import VLLM, make_history

TTFT = Objective("ttft_mean_s", "min")
TPOT = Objective("tpot_mean_s", "min")


def test_as_many_sobol_points_as_parameters() -> None:
    sobol = make_optimizer("random", VLLM, [TTFT], seed=3).suggest([], [], 12)
    ours = make_optimizer("scoot_paper", VLLM, [TTFT], seed=3).suggest([], [], 1 + VLLM.dim)
    assert ours == sobol[: 1 + VLLM.dim]


@pytest.mark.parametrize("objectives", [[TTFT], [TTFT, TPOT]], ids=["single", "several"])
def test_suggestions_reach_the_threshold(objectives: list[Objective]) -> None:
    history = make_history(VLLM, 24, crashes=lambda c: c["max_num_seqs"] > 3000)
    data = Observations.of(VLLM, objectives, [], history, [])
    chosen = propose(data, 4, np.random.default_rng(0))
    # The same generator draws the same seed of the forest first.
    seed = int(np.random.default_rng(0).integers(2**31))
    forest = Feasibility.fit(data.points, data.completed, seed)
    delta = fold_threshold(data.completed.tolist()).delta
    assert (forest.probability(np.array([VLLM.encode(c) for c in chosen])) >= delta).all()


def test_only_crashes_leave_it_to_sobol() -> None:
    history = make_history(VLLM, 4, crashes=lambda _: True)
    data = Observations.of(VLLM, [TTFT], [], history, [])
    assert propose(data, 2, np.random.default_rng(0)) == []


def test_surrogate_leaves_out_what_is_not_a_number() -> None:
    x = np.random.default_rng(0).random((12, 2))
    y = x.sum(axis=1)
    y[3] = np.nan
    expected = fit_gp(np.delete(x, 3, axis=0), np.delete(y, 3)).predict(x)[0]
    assert fit_gp(x, y).predict(x)[0] == pytest.approx(expected)
    with pytest.raises(ValueError, match="finite"):
        fit_gp(x, np.full(12, np.nan))
