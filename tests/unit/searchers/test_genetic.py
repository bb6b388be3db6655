import numpy as np

from scoot_ray.core.objective import Objective
from scoot_ray.core.outcome import TrialState
from scoot_ray.core.trial import TrialRecord
from searchers import make_optimizer
from searchers.genetic import POPULATION, evolve
from searchers.observations import Observations
from tests.unit.searchers.spaces import VLLM, make_history

TTFT = Objective("ttft_mean_s", "min")
TPOT = Objective("tpot_mean_s", "min")


def population(history: list[TrialRecord], *objectives: Objective) -> np.ndarray:
    data = Observations.of(VLLM, objectives, [], history, [])
    return np.asarray(evolve(data, np.random.default_rng(0)).get("F"))


def test_the_ten_best_survive() -> None:
    history = make_history(VLLM, 40)
    best = sorted(record.metrics["ttft_mean_s"] for record in history)[:POPULATION]
    assert sorted(population(history, TTFT)[:, 0]) == best


def test_a_generation_counts_when_it_is_whole() -> None:
    history = make_history(VLLM, 39)
    assert (population(history, TTFT) == population(history[:30], TTFT)).all()


def test_the_ends_of_the_front_survive() -> None:
    history = make_history(VLLM, 40)
    survivors = population(history, TTFT, TPOT)
    for i, objective in enumerate((TTFT, TPOT)):
        assert min(r.metrics[objective.metric] for r in history) in survivors[:, i]


def test_crashes_do_not_breed() -> None:
    history = make_history(VLLM, 20, crashes=lambda c: c["tensor_parallel_size"] == 4)
    worst = max(r.metrics["ttft_mean_s"] for r in history if r.state is TrialState.COMPLETE)
    assert (population(history, TTFT)[:, 0] < worst).all()


def test_going_on_one_by_one_improves() -> None:
    optimizer = make_optimizer("genetic", VLLM, [TTFT], seed=0)
    history = make_history(VLLM, 20)
    before = min(record.metrics["ttft_mean_s"] for record in history)
    while len(history) < 60:
        [config] = optimizer.suggest(history, [])
        loss = float(np.exp(((VLLM.encode(config) - 0.3) ** 2).sum()))
        state = TrialState.COMPLETE
        history.append(TrialRecord(len(history), config, state, {"ttft_mean_s": loss}))
    assert min(record.metrics["ttft_mean_s"] for record in history) < before
