import numpy as np

from scoot_ray.core.objective import Objective
from searchers.forest_surrogate import fit_forest
from searchers.observations import Observations
from searchers.penalty import penalised
from tests.unit.searchers.spaces import VLLM, make_history

OBJECTIVES = [Objective("ttft_mean_s", "min"), Objective("throughput_rps", "max")]


def test_a_crash_has_the_worst_value() -> None:
    history = make_history(VLLM, 12, crashes=lambda c: c["block_size"] == 8)
    data = Observations.of(VLLM, OBJECTIVES, [], history, [])
    filled = penalised(data)
    assert 0 < (~data.completed).sum() < 12
    assert (filled[~data.completed] == np.nanmax(data.losses, axis=0)).all()
    assert (filled[data.completed] == data.losses[data.completed]).all()


def test_without_a_measurement_there_is_no_penalty() -> None:
    history = make_history(VLLM, 3, crashes=lambda _: True)
    assert np.isnan(penalised(Observations.of(VLLM, OBJECTIVES, [], history, []))).all()


def test_the_forest_follows_the_data() -> None:
    x = np.random.default_rng(0).random((80, 2))
    surrogate = fit_forest(x, 3 * x[:, 0], seed=0)
    mean, sd = surrogate.predict(np.array([[0.1, 0.5], [0.9, 0.5]]))
    assert mean[0] < -0.5 < 0.5 < mean[1]
    assert (sd > 0).all()
